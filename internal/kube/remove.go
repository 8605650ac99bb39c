package kube

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pollEvery is how often an object is looked at that is going.
const pollEvery = 200 * time.Millisecond

// Remove begins to delete exactly this object, not another one of its name.
func (c *Cluster) Remove(ctx context.Context, live client.Object) error {
	uid := live.GetUID()
	live = live.DeepCopyObject().(client.Object)
	return c.Delete(ctx, live, client.PropagationPolicy(metav1.DeletePropagationBackground), client.Preconditions{UID: &uid})
}

// AwaitGone returns when the API server no longer has this very object: a
// controller may make another of the same name at once.
func (c *Cluster) AwaitGone(ctx context.Context, o client.Object) error {
	live := o.DeepCopyObject().(client.Object)
	err := wait.PollUntilContextCancel(ctx, pollEvery, true, func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(o), live)
		if err == nil {
			return live.GetUID() != o.GetUID(), nil
		}
		return IsAbsent(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		return fmt.Errorf("waiting for %s to be gone: %w", Name(o), err)
	}
	return nil
}
