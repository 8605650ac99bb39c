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

// LiveAll returns objects as [Cluster.Live] does, in the same order. It ends at the
// first error.
func (c *Cluster) LiveAll(ctx context.Context, objects []Object) ([]Object, error) {
	found := make([]Object, len(objects))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(Concurrency)
	for i, o := range objects {
		group.Go(func() (err error) {
			found[i], err = c.Live(asking, o)
			return err
		})
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return found, err
}
