package kube

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Live returns an object as it is in the cluster, or nil where it is not.
func (c *Cluster) Live(ctx context.Context, o Object) (Object, error) {
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(o.GroupVersionKind())
	err := c.Get(ctx, client.ObjectKeyFromObject(o), live)
	if IsAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking %s for %s: %w", c.Host(), Name(o), err)
	}
	return live, nil
}

// Concurrency bounds how many requests for one purpose are in flight at once.
const Concurrency = 8

// LiveAll returns objects as [Cluster.Live] does, in the same order. Several of one
// kind in one namespace are read by one list, where a list reads little else. It needs
// no permission but to get them: where the API server does not list them, each is asked
// for. It ends at the first error.
func (c *Cluster) LiveAll(ctx context.Context, objects []Object) ([]Object, error) {
	r := newReading(c, objects)
	return r.finish(ctx, r.listAndGet(ctx))
}

// LiveEach returns objects as [Cluster.LiveAll] does, without lists: for those of whom
// it is known that they may not list.
func (c *Cluster) LiveEach(ctx context.Context, objects []Object) ([]Object, error) {
	r := newReading(c, objects)
	return r.finish(ctx, r.get(ctx, r.unknown()))
}

// reading is objects that are read, and what of them has been read.
type reading struct {
	cluster *Cluster
	objects []Object
	live    []Object
	known   []bool // whether live says how the object is
}

func newReading(c *Cluster, objects []Object) *reading {
	return &reading{cluster: c, objects: objects, live: make([]Object, len(objects)), known: make([]bool, len(objects))}
}

// finish returns what was read, unless the context or an error has ended it.
func (r *reading) finish(ctx context.Context, err error) ([]Object, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return r.live, err
}

// listAndGet reads lists and, at the same time, the objects that are in none of them;
// then those that the lists did not have.
func (r *reading) listAndGet(ctx context.Context) error {
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(Concurrency)
	lists, single := r.lists()
	for _, l := range lists {
		group.Go(func() error { return r.list(asking, l) })
	}
	for _, i := range single {
		group.Go(func() error { return r.getOne(asking, i) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return r.get(ctx, r.unknown())
}

// unknown returns the places of the objects of which nothing was read.
func (r *reading) unknown() (places []int) {
	for i, known := range r.known {
		if !known {
			places = append(places, i)
		}
	}
	return places
}

// get reads the objects at some places, each by a request of its own.
func (r *reading) get(ctx context.Context, places []int) error {
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(Concurrency)
	for _, i := range places {
		group.Go(func() error { return r.getOne(asking, i) })
	}
	return group.Wait()
}

func (r *reading) getOne(ctx context.Context, i int) error {
	live, err := r.cluster.Live(ctx, r.objects[i])
	r.live[i], r.known[i] = live, err == nil
	return err
}
