package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// pollFirst is how long the first pause is before objects are looked at again that
	// are going; each later one is longer by half, up to pollAtLast.
	pollFirst  = 200 * time.Millisecond
	pollAtLast = time.Second
	// silence is after how long without an answer it counts that there is none.
	silence = 3 * time.Second
)

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
	return c.remove(ctx, live, extent, client.Preconditions{UID: &uid})
}

// RemoveUnchanged does what [Cluster.Remove] does, and fails with a conflict if the
// object has changed since it was read.
func (c *Cluster) RemoveUnchanged(ctx context.Context, live client.Object, extent Extent) error {
	uid, version := live.GetUID(), live.GetResourceVersion()
	return c.remove(ctx, live, extent, client.Preconditions{UID: &uid, ResourceVersion: &version})
}

func (c *Cluster) remove(ctx context.Context, live client.Object, extent Extent, conditions client.Preconditions) error {
	propagation := metav1.DeletePropagationBackground
	if extent == WithDependents && makesPods(live) {
		propagation = metav1.DeletePropagationForeground
	}
	live = live.DeepCopyObject().(client.Object)
	return c.Delete(ctx, live, client.PropagationPolicy(propagation), conditions)
}

// makesPods says whether an object is of a kind that makes pods, itself or by others.
func makesPods(o client.Object) bool {
	kind := Kind(o)
	return kind.Group == "apps" || kind.Group == "batch" || kind.Kind == "ReplicationController"
}

// AwaitGone returns when the API server no longer has this very object, as
// [Cluster.AwaitAllGone] does.
func (c *Cluster) AwaitGone(ctx context.Context, o client.Object) error {
	return c.AwaitAllGone(ctx, []client.Object{o}, func(client.Object, bool, string) {})
}

// AwaitAllGone returns when the API server has none of these very objects any more:
// a controller may make others of the same names at once. It calls seen for each that
// it has seen, with what holds it, or "" once it is gone. If the context ends before,
// the error names all that are left and what holds them.
func (c *Cluster) AwaitAllGone(ctx context.Context, objects []client.Object, seen func(o client.Object, gone bool, heldBy string)) error {
	left := slices.Clone(objects)
	for pause := pollFirst; ; pause = min(pause*3/2, pollAtLast) {
		asked := time.Now()
		now := make([]client.Object, len(left)) // nil for those that are gone
		group, asking := errgroup.WithContext(ctx)
		group.SetLimit(Concurrency)
		for i, o := range left {
			group.Go(func() (err error) {
				now[i], err = c.still(asking, o)
				return err
			})
		}
		err := group.Wait()
		if ctx.Err() != nil && time.Since(asked) > silence {
			return stillThere(left, fmt.Errorf("%w, and the API server does not answer", context.Cause(ctx)))
		}
		if ctx.Err() != nil {
			return stillThere(left, context.Cause(ctx))
		}
		if err != nil {
			return err
		}
		var remain []client.Object
		for i, o := range left {
			if now[i] != nil {
				remain = append(remain, now[i])
				seen(o, false, heldBy(now[i]))
			} else {
				seen(o, true, "")
			}
		}
		if left = remain; len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return stillThere(left, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// still returns an object as it is by now, or nil if it is gone.
func (c *Cluster) still(ctx context.Context, o client.Object) (client.Object, error) {
	live := o.DeepCopyObject().(client.Object)
	err := c.Get(ctx, client.ObjectKeyFromObject(o), live)
	switch {
	case IsAbsent(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("waiting for %s to be gone: %w", Name(o), err)
	case live.GetUID() != o.GetUID():
		return nil, nil
	}
	return live, nil
}

func stillThere(objects []client.Object, why error) error {
	var left []error
	for _, o := range objects {
		if held := heldBy(o); held != "" {
			left = append(left, fmt.Errorf("%s is still there, %s: %w", NameIn(o), held, why))
		} else {
			left = append(left, fmt.Errorf("%s is still there: %w", NameIn(o), why))
		}
	}
	return errors.Join(left...)
}

// ByFinalizer begins what is said of an object that somebody's finalizer holds.
const ByFinalizer = "held by its finalizer "

// heldBy says what keeps an object that is going, or "": its finalizers, or in a
// namespace what is left there.
func heldBy(o client.Object) string {
	finalizers := slices.Clone(o.GetFinalizers())
	foreground := slices.Contains(finalizers, metav1.FinalizerDeleteDependents)
	finalizers = slices.DeleteFunc(finalizers, func(f string) bool { return f == metav1.FinalizerDeleteDependents })
	switch {
	case len(finalizers) > 0:
		return ByFinalizer + strings.Join(finalizers, " and ")
	case foreground:
		return "until what it has made, such as pods, is gone"
	}
	if namespace, ok := o.(Object); ok && Kind(o) == NamespaceKind {
		var left []string
		for _, kind := range []string{"NamespaceContentRemaining", "NamespaceFinalizersRemaining"} {
			if HasCondition(namespace, kind) {
				left = append(left, fmt.Sprint(Condition(namespace, kind)["message"]))
			}
		}
		return strings.Join(left, "; ")
	}
	return ""
}
