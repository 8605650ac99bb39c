package kube

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pollEvery is how often an object is looked at that is going.
const pollEvery = 200 * time.Millisecond

// Extent says what goes with an object.
type Extent bool

const (
	// Alone deletes an object at once; the cluster deletes what it has made later.
	Alone Extent = false
	// WithDependents deletes an object once what it has made is gone, as the pods of
	// a Deployment.
	WithDependents Extent = true
)

// Remove begins to delete exactly this object, not another one of its name.
func (c *Cluster) Remove(ctx context.Context, live client.Object, extent Extent) error {
	uid := live.GetUID()
	propagation := metav1.DeletePropagationBackground
	if extent == WithDependents && makesPods(live) {
		propagation = metav1.DeletePropagationForeground
	}
	live = live.DeepCopyObject().(client.Object)
	return c.Delete(ctx, live, client.PropagationPolicy(propagation), client.Preconditions{UID: &uid})
}

// makesPods says whether an object is of a kind that makes pods, itself or by others.
func makesPods(o client.Object) bool {
	kind := Kind(o)
	return kind.Group == "apps" || kind.Group == "batch" || kind.Kind == "ReplicationController"
}

// AwaitGone returns when the API server no longer has this very object: a
// controller may make another of the same name at once. If the context ends before,
// the error says what holds the object.
func (c *Cluster) AwaitGone(ctx context.Context, o client.Object) error {
	live := o.DeepCopyObject().(client.Object)
	err := wait.PollUntilContextCancel(ctx, pollEvery, true, func(ctx context.Context) (bool, error) {
		next := o.DeepCopyObject().(client.Object)
		err := c.Get(ctx, client.ObjectKeyFromObject(o), next)
		if err == nil {
			live = next
			return live.GetUID() != o.GetUID(), nil
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return IsAbsent(err), client.IgnoreNotFound(err)
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s is still there%s: %w", Name(o), heldBy(live), context.Cause(ctx))
	}
	return fmt.Errorf("waiting for %s to be gone: %w", Name(o), err)
}

// heldBy says which finalizers keep an object that is going.
func heldBy(o client.Object) string {
	if len(o.GetFinalizers()) == 0 {
		return ""
	}
	return ", held by its finalizer " + strings.Join(o.GetFinalizers(), " and ")
}
