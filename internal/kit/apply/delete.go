package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// DeleteOptions are the choices of `kubectl delete` that make sense for a set.
type DeleteOptions struct {
	IgnoreNotFound bool // an object that is not there is no error
	Wait           bool // return when the objects are gone, finalizers included
}

// Delete removes objects in the reverse of the order they are applied in. As
// `kubectl delete`, it goes on after an object that is not there and reports it at
// the end. A namespace that may not be deleted is kept, and that is reported as what
// happened to it.
func Delete(ctx context.Context, c *kube.Cluster, objects []kube.Object, opts DeleteOptions, log *progress.Log, report Report) error {
	plan.InOrder(objects)
	slices.Reverse(objects)
	places := plan.NewPlaces(c, objects, log.Printf)
	var failed []error
	var going []kube.Object
	for _, o := range objects {
		live, err := deleteOne(ctx, c, o, places)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case isNoAccess(err):
			return errors.Join(append(failed, err)...) // It would be the same for every other object.
		case (kube.IsAbsent(err) || plan.IsUnknown(err)) && opts.IgnoreNotFound:
		case plan.IsKept(o, err):
			report(Outcome{Object: kube.Name(o), Action: plan.Kept})
		case err != nil:
			failed = append(failed, fmt.Errorf("deleting %s: %w", kube.Name(o), err))
		default:
			going = append(going, live)
			report(Outcome{Object: kube.Name(o), Action: plan.Deleted})
		}
	}
	if opts.Wait {
		failed = append(failed, awaitAllGone(ctx, c, going, log))
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

func awaitAllGone(ctx context.Context, c *kube.Cluster, objects []kube.Object, log *progress.Log) error {
	for _, o := range objects {
		task := log.Start(kube.Name(o), "going")
		err := c.AwaitGone(ctx, o)
		task.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
