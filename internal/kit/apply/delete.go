package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// DeleteOptions are the choices of `kubectl delete` that make sense for a set.
type DeleteOptions struct {
	IgnoreNotFound bool          // an object that is not there is no error
	Wait           bool          // return when the objects are gone, their pods and finalizers included
	Timeout        time.Duration // how long to wait; 0 is for ever
}

// Delete removes objects in the reverse of the order they are applied in. As
// `kubectl delete`, it goes on after an object that is not there and reports it at
// the end. A namespace that may not be deleted is kept, and that is reported as what
// happened to it.
func Delete(ctx context.Context, c *kube.Cluster, objects []kube.Object, opts DeleteOptions, log *progress.Log, report event.Report) error {
	plan.InOrder(objects)
	slices.Reverse(objects)
	places := plan.NewPlaces(c, objects, log.Printf)
	var failed []error
	var going []client.Object
	for _, o := range objects {
		live, err := deleteOne(ctx, c, o, places)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case isNoAccess(err):
			return errors.Join(append(failed, err)...) // It would be the same for every other object.
		case (kube.IsAbsent(err) || plan.IsUnknown(err)) && opts.IgnoreNotFound:
		case plan.IsKept(o, err):
			report.Done(o, string(plan.Kept))
		case err != nil:
			failed = append(failed, fmt.Errorf("deleting %s: %w", kube.Name(o), err))
		default:
			going = append(going, live)
			report.Done(o, string(plan.Deleted))
		}
	}
	if opts.Wait {
		failed = append(failed, awaitAllGone(ctx, c, going, opts.Timeout, log, report))
	}
	return errors.Join(failed...)
}

// isNoAccess says whether the cluster serves nothing to this user.
func isNoAccess(err error) bool {
	_, none := errors.AsType[*kube.AccessError](err)
	return none
}

// deleteOne begins to delete an object and returns it as it was.
func deleteOne(ctx context.Context, c *kube.Cluster, o kube.Object, places *plan.Places) (kube.Object, error) {
	if err := places.Place(o); err != nil {
		return nil, err
	}
	live := o.DeepCopy()
	if err := c.Get(ctx, client.ObjectKeyFromObject(o), live); err != nil {
		return nil, err
	}
	return live, c.Remove(ctx, live, kube.WithDependents)
}

// awaitAllGone waits for objects that are going.
func awaitAllGone(ctx context.Context, c *kube.Cluster, objects []client.Object, timeout time.Duration, log *progress.Log, report event.Report) error {
	inTime := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		inTime, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%s have passed", timeout))
		defer cancel()
	}
	tasks := map[types.UID]*progress.Task{}
	for _, o := range objects {
		tasks[o.GetUID()] = log.Start(kube.Name(o), "going")
	}
	err := c.AwaitAllGone(inTime, objects, func(o client.Object, gone bool, heldBy string) {
		if !gone {
			tasks[o.GetUID()].Step(going(heldBy))
			return
		}
		tasks[o.GetUID()].Stop()
		report.Waits(o.(kube.Object), "gone", "")
	})
	for _, task := range tasks {
		task.Stop()
	}
	return err
}

// going says in few words how an object is doing that is deleted.
func going(heldBy string) string { return strings.TrimSuffix("going, "+heldBy, ", ") }
