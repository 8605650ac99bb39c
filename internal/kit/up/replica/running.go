package replica

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/probe"
	"github.com/koshop/koshop/internal/kit/process"
)

// running are the programs of an instance while they run. Where a kubelet would
// restart one container of several, here all end and are restarted together.
type running struct {
	*instance
	host   *host
	giveUp context.CancelCauseFunc

	turning sync.Mutex // held while the slot is told, so that it is told of turns in their order
	mu      sync.Mutex
	unready int
	alive   int
}

// program runs one container until ctx ends, and ends the others when it ends.
func (r *running) program(ctx context.Context, c pod.Container) {
	taken := &conflicts{host: r.host, to: r.host.output(c.Name), ports: map[int]struct{}{}}
	p, run, err := r.host.startContainer(ctx, r.instance, c, taken)
	if err != nil {
		r.giveUp(err)
		return
	}
	r.host.ports.began(p.ID(), holder{r.host.id, r.host.row.Name})
	defer r.host.ports.ended(p.ID())
	taken.started(p.ID())
	var beside sync.WaitGroup
	beside.Go(func() { r.probe(ctx, c, run) })
	beside.Go(func() { taken.follow(ctx, r.giveUp) })
	select {
	case <-ctx.Done():
		p.Stop(r.grace())
	case <-p.Done():
		if err := r.programEnded(c, p.State()); err != nil {
			r.giveUp(taken.explain(err))
		}
	}
	<-ctx.Done()
	beside.Wait()
}

// programEnded returns why the others have to end, nil if they go on.
func (r *running) programEnded(c pod.Container, state process.State) error {
	policy := r.version.Workload.Template.Spec.RestartPolicy
	if state.Code == 0 && (policy == "" || policy == corev1.RestartPolicyAlways) {
		return fmt.Errorf("container %s ended: %s; its program has to keep running", c.Name, state)
	}
	if state.Code != 0 || c.Sidecar {
		return fmt.Errorf("container %s ended: %s", c.Name, state)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alive--; r.alive > 0 {
		return nil
	}
	return errCompleted
}

// mains counts the containers that a Job has to wait for.
func mains(p *pod.Pod) int {
	n := 0
	for _, c := range p.Containers {
		if !c.Sidecar {
			n++
		}
	}
	return n
}

// probe follows the probes of a container until ctx ends.
func (r *running) probe(ctx context.Context, c pod.Container, run probe.Exec) {
	if err := r.startup(ctx, c, run); err != nil {
		r.giveUp(fmt.Errorf("container %s: startup probe: %w", c.Name, err))
		return
	}
	var both sync.WaitGroup
	both.Go(func() { r.readiness(ctx, c, run) })
	if c.Liveness != nil {
		both.Go(func() {
			probe.Watch(ctx, c.Liveness, run, func(err error) {
				r.giveUp(fmt.Errorf("container %s: liveness probe: %w", c.Name, err))
			})
		})
	}
	both.Wait()
}

// startup returns nil when a container has started.
func (r *running) startup(ctx context.Context, c pod.Container, run probe.Exec) error {
	if c.Startup == nil {
		return nil
	}
	failures := time.Duration(max(c.Startup.FailureThreshold, 1))
	limit := probe.Seconds(c.Startup.InitialDelaySeconds, 0) + failures*probe.Seconds(c.Startup.PeriodSeconds, 10)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return probe.Until(ctx, c.Startup, run, r.host.row.Waits)
}

func (r *running) readiness(ctx context.Context, c pod.Container, run probe.Exec) {
	if r.awaitReady(ctx, c, run) != nil {
		return
	}
	r.count(ctx, true)
	if c.Readiness != nil {
		probe.Watch(ctx, c.Readiness, run, func(err error) { r.count(ctx, err == nil) })
	}
}

// mayListenWithin is how long a program that may be a worker has to listen on its
// PORT: one that does not is ready then.
const mayListenWithin = 5 * time.Second

// awaitReady returns nil when a container is ready for the first time.
func (r *running) awaitReady(ctx context.Context, c pod.Container, run probe.Exec) error {
	if c.Readiness != nil {
		return probe.Until(ctx, c.Readiness, run, r.host.row.Waits)
	}
	if c.Listen == 0 {
		return nil
	}
	p := probe.Listening(c.Listen) // Other programs reach it there.
	waits := func(error) { r.host.row.Waits(fmt.Errorf("nothing listens on its PORT, which is %d", c.Listen)) }
	if !c.MayNotListen {
		return probe.Until(ctx, p, run, waits)
	}
	bounded, cancel := context.WithTimeout(ctx, mayListenWithin)
	defer cancel()
	if probe.Until(bounded, p, run, waits) == nil {
		return nil
	}
	return ctx.Err()
}

// count tells the slot when the last container has become ready, and when that
// has changed.
func (r *running) count(ctx context.Context, ready bool) {
	r.turning.Lock()
	defer r.turning.Unlock()
	r.mu.Lock()
	before := r.unready
	if ready {
		r.unready--
	} else {
		r.unready++
	}
	turned := (before == 0) != (r.unready == 0)
	now := r.unready == 0
	r.mu.Unlock()
	if !turned {
		return
	}
	select {
	case <-r.ready:
	default:
		r.becomeReady()
		return
	}
	select {
	case r.turn <- now:
	case <-ctx.Done():
	}
}

// exec returns how commands are run in the place of a container.
func (h *host) exec(c pod.Container) probe.Exec {
	return h.runner(func(ctx context.Context, command []string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Env, cmd.Dir = c.Env, c.Dir
		return cmd
	})
}

// runner returns how the commands are run that prepare makes.
func (h *host) runner(prepare func(context.Context, []string) *exec.Cmd) probe.Exec {
	return func(ctx context.Context, command []string) error {
		err := h.Group.Run(prepare(ctx, command))
		switch {
		case errors.Is(err, exec.ErrNotFound):
			return fmt.Errorf("%w: a probe can run only what is installed here", err)
		case err != nil:
			return fmt.Errorf("%s: %w", command[0], err)
		}
		return nil
	}
}
