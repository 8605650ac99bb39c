package applyset

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// pruneAttempts is how often an object is read again that others change meanwhile.
const pruneAttempts = 5

// Prune begins to delete a member that [Parent.Find] returned as gone. One that is not
// there any more is no error. With a reason in kept, it was left as it is.
//
// The API server deletes only the very object that was judged, of this UID and
// resource version: between the list and now, another set may have taken it over, or
// somebody may have given it an owner. One that has changed is read and judged again,
// since controllers write the status of objects all the time. kubectl deletes whatever
// has the name by then.
func (p *Parent) Prune(ctx context.Context, c *kube.Cluster, gone kube.Object) (kept string, err error) {
	live := gone
	for attempt := 1; ; attempt++ {
		err := c.RemoveUnchanged(ctx, live, kube.WithDependents)
		switch {
		case err == nil || apierrors.IsNotFound(err):
			return "", nil
		case plan.IsKept(live, err):
			return "this user may not delete it", nil
		case apierrors.IsForbidden(err):
			return "", missing(err, "delete", resourceOf(c, live), live.GetNamespace())
		case !apierrors.IsConflict(err) || attempt == pruneAttempts:
			return "", fmt.Errorf("pruning %s: %w", kube.NameIn(live), err)
		}
		if live, err = c.Live(ctx, gone); err != nil {
			return "", fmt.Errorf("pruning %s: %w", kube.NameIn(gone), err)
		}
		if live == nil {
			return "", nil
		}
		if live.GetUID() != gone.GetUID() {
			return "it was made anew meanwhile", nil
		}
		if kept := p.whyNotOurs(live); kept != "" {
			return kept, nil
		}
	}
}

// resourceOf is how a Role calls the kind of an object that the cluster has.
func resourceOf(c *kube.Cluster, o kube.Object) schema.GroupResource {
	mapping, err := c.RESTMapper().RESTMapping(kube.Kind(o))
	if err != nil {
		return schema.GroupResource{Group: kube.Kind(o).Group, Resource: o.GetKind()}
	}
	return mapping.Resource.GroupResource()
}
