package reload

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kube"
)

// transferred is what became of a parcel in a container.
type transferred struct {
	target
	sent int    // bytes that crossed
	note string // what the pod says of it
	err  error
}

// problem names the container of an error.
func (t transferred) problem() error {
	return fmt.Errorf("pod %s, container %s: %w", t.pod, t.container, t.err)
}

// problems joins the errors of containers.
func problems(all []transferred) (err error) {
	for _, each := range all {
		if each.err != nil {
			err = errors.Join(err, each.problem())
		}
	}
	return err
}

// transferAll brings a parcel into all targets at once, and returns when each runs what
// is in it, or does not. It uses the connections that there are already.
func transferAll(ctx context.Context, c *kube.Cluster, targets []target, packed *parcel.Parcel, early *connections) []transferred {
	all := make([]transferred, len(targets))
	var group sync.WaitGroup
	for i, target := range targets {
		group.Go(func() { all[i] = transfer(ctx, c, target, packed, early) })
	}
	group.Wait()
	return all
}

// transfer uses a connection that there is already, unless that has broken meanwhile: a
// compilation may take long. Sending the same twice does no harm.
func transfer(ctx context.Context, c *kube.Cluster, to target, packed *parcel.Parcel, early *connections) transferred {
	if ready := early.to(to); ready != nil && ready.send(packed) {
		if result := ready.end(); result.err == nil || ready.heard {
			return result
		}
	}
	now := connect(ctx, c, to, nil)
	now.send(packed)
	return now.end()
}

// connections are made before there is anything to send: a pod takes a while to start
// the program that receives.
type connections struct {
	all    map[run]*connection
	cancel context.CancelFunc
}

func connectAll(ctx context.Context, c *kube.Cluster, targets []target, library *parcel.Library) *connections {
	ctx, cancel := context.WithCancel(ctx)
	made := &connections{all: map[run]*connection{}, cancel: cancel}
	for _, t := range targets {
		made.all[t.run] = connect(ctx, c, t, library)
	}
	return made
}

// to returns the connection to a container, nil if there is none.
func (c *connections) to(t target) *connection {
	if c == nil {
		return nil
	}
	return c.all[t.run]
}

// close ends those that were not used.
func (c *connections) close() {
	c.cancel()
	for _, each := range c.all {
		each.end()
	}
}
