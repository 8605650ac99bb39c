package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/process"
)

// setupError says what the manifests ask for that cannot be had here. Only a
// change can help.
type setupError struct{ error }

func isSetupError(err error) bool {
	_, ok := errors.AsType[*setupError](err)
	return ok
}

// start starts an instance of a version. It ends with ctx, by itself, or when
// its cancel is called.
func (h *host) start(ctx context.Context, v *Version) *instance {
	i := &instance{
		version: v, began: time.Now(),
		ready: make(chan struct{}), turn: make(chan bool), ended: make(chan struct{}),
	}
	ctx, i.cancel = context.WithCancel(ctx)
	go func() { // Ends with ctx; who holds the instance waits for that.
		defer close(i.ended)
		defer i.cancel()
		i.err = h.live(ctx, i)
	}()
	return i
}

// live is the life of an instance; it returns why it has ended.
func (h *host) live(ctx context.Context, i *instance) error {
	dir, err := h.directory(i.version.Workload)
	if err != nil {
		return err
	}
	i.dir = dir
	defer os.RemoveAll(dir) // The next start removes what is left.
	site, err := h.site(dir, i.version)
	if err != nil {
		return err
	}
	if err := h.awaitJobs(ctx, i.version); err != nil {
		return err
	}
	if i.pod, err = pod.New(i.version.Plan, i.version.Workload, site); err != nil {
		return &setupError{err}
	}
	unlock, err := h.lockClaims(ctx, i.pod)
	if err != nil {
		return err
	}
	defer unlock()
	if err := i.pod.LayOut(); err != nil {
		return &setupError{err}
	}
	if err := h.awaitPorts(ctx, i); err != nil {
		return err
	}
	for _, c := range i.pod.Init {
		if err := h.complete(ctx, c, i.pod.Grace); err != nil {
			return err
		}
	}
	return h.serve(ctx, i)
}

// serve runs the containers until one of them ends it all, or ctx ends.
func (h *host) serve(ctx context.Context, i *instance) error {
	running := &running{instance: i, host: h, unready: len(i.pod.Containers), alive: mains(i.pod)}
	ctx, running.giveUp = context.WithCancelCause(ctx)
	// Nobody is led any more to programs that are told to end.
	defer context.AfterFunc(ctx, func() { h.Routes.Clear(h.id, i) })()
	var programs sync.WaitGroup
	for _, c := range i.pod.Containers {
		programs.Go(func() { running.program(ctx, c) })
	}
	programs.Wait()
	i.retire(ctx) // It has ended: nothing is in flight that could be finished.
	return context.Cause(ctx)
}

// complete runs an init container to its end.
func (h *host) complete(ctx context.Context, c pod.Container, grace time.Duration) error {
	p, err := h.startProgram(c, h.output(c.Name))
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		p.Stop(grace)
		return context.Cause(ctx)
	case <-p.Done():
	}
	if state := p.State(); state.Code != 0 {
		return fmt.Errorf("init container %s ended: %s", c.Name, state)
	}
	return nil
}

func (h *host) startProgram(c pod.Container, output io.Writer) (*process.Process, error) {
	return h.Group.Start(process.Command{Path: c.Binary, Args: c.Args, Env: c.Env, Dir: c.Dir, Output: output})
}
