package apply

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/fluxcd/pkg/ssa"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// DeleteOptions are the choices of `kubectl delete` that make sense for a set.
type DeleteOptions struct {
	IgnoreNotFound bool // an object that is not there is no error
	Wait           bool // return when the objects are gone, finalizers included
}

// Delete removes the objects in the manifests, a stream of YAML documents, in
// the reverse of the order they are applied in. As `kubectl delete`, it goes on
// after an object that is not there and reports it at the end. A namespace that
// may not be deleted is kept, and that is reported as what happened to it.
func (c *Cluster) Delete(ctx context.Context, manifests []byte, opts DeleteOptions, log *progress.Log, report Report) error {
	objects, err := decode(manifests)
	if err != nil {
		return err
	}
	sort.Stable(sort.Reverse(ssa.SortableUnstructureds(objects)))
	scopes := definedScopes(objects)
	var failed []error
	var going []object
	for _, o := range objects {
		live, err := c.deleteOne(ctx, o, scopes)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case isNoAccess(err):
			return errors.Join(append(failed, err)...) // It would be the same for every other object.
		case isAbsent(err) && opts.IgnoreNotFound:
		case isKept(o, err):
			report(Outcome{Object: reference(o), Action: keptAction})
		case err != nil:
			failed = append(failed, fmt.Errorf("deleting %s: %w", reference(o), err))
		default:
			going = append(going, live)
			report(Outcome{Object: reference(o), Action: ssa.DeletedAction.String()})
		}
	}
	if opts.Wait {
		failed = append(failed, c.awaitAllGone(ctx, going, log))
	}
	return errors.Join(failed...)
}

// isNoAccess says whether the cluster serves nothing to this user.
func isNoAccess(err error) bool {
	_, none := errors.AsType[*kube.AccessError](err)
	return none
}

// deleteOne begins to delete an object and returns it as it was.
func (c *Cluster) deleteOne(ctx context.Context, o object, scopes scopes) (object, error) {
	if err := c.place(o, scopes); err != nil {
		return nil, err
	}
	live := o.DeepCopy()
	if err := c.client.Get(ctx, client.ObjectKeyFromObject(o), live); err != nil {
		return nil, err
	}
	return live, c.remove(ctx, live)
}

// remove begins to delete exactly this object, not another one of its name.
func (c *Cluster) remove(ctx context.Context, live object) error {
	uid := live.GetUID()
	return c.client.Delete(ctx, live, client.PropagationPolicy(metav1.DeletePropagationBackground), client.Preconditions{UID: &uid})
}

func (c *Cluster) awaitAllGone(ctx context.Context, objects []object, log *progress.Log) error {
	for _, o := range objects {
		task := log.Start(reference(o), "going")
		err := c.awaitGone(ctx, o)
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
