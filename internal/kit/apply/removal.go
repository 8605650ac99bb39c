package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// removal is what is known of a set that is deleted with the objects of a kustomization.
type removal struct {
	parent *applyset.Parent     // nil where there is no set, or this user may not read it
	gone   map[kube.Object]bool // members that the kustomization no longer names
	going  []client.Object      // members that were deleted before, and are still there
}

// findRemoval finds the set that objects belong to, and those of its members that are
// not among them. If the members cannot be found, that is failed: the objects can be
// deleted all the same, and the parent has to stay.
func findRemoval(ctx context.Context, c *kube.Cluster, set applyset.Set, objects []kube.Object, places *plan.Places, note func(string, ...any), report event.Report) (r *removal, failed, err error) {
	r = &removal{gone: map[kube.Object]bool{}}
	if set.Name == "" {
		return r, nil, nil
	}
	for _, o := range objects {
		if err := places.Place(o); isNoAccess(err) {
			return nil, nil, err
		}
	}
	parent, err := findToRemove(ctx, c, set, objects, note)
	if apierrors.IsForbidden(err) || err == nil && !parent.Exists() {
		return r, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("nothing was deleted: %w", err)
	}
	found, err := parent.Find(ctx, c, nil)
	if err != nil {
		return r, fmt.Errorf("what is gone from the kustomization is still there, and %s, the record of it: %w", kube.NameIn(parent.Live()), err), nil
	}
	r.parent = parent
	named := map[string]bool{}
	for _, o := range objects {
		named[kube.NameIn(o)] = true
	}
	for _, o := range found.Gone {
		if !named[kube.NameIn(o)] {
			r.gone[o] = true
		}
	}
	for _, kept := range found.Kept {
		switch {
		case named[kube.NameIn(kept.Object)]:
		case kept.Object.GetDeletionTimestamp() != nil:
			r.going = append(r.going, kept.Object)
		default:
			report.Explains(kept.Object, string(plan.Kept), kept.Why)
		}
	}
	return r, nil, nil
}

// findToRemove finds the parent of the set, where it is and where it may have been left. If
// that is uncertain, a note says so, and the objects are deleted without the set. Other
// deployments of the kustomization are no reason for a note.
func findToRemove(ctx context.Context, c *kube.Cluster, set applyset.Set, objects []kube.Object, note func(string, ...any)) (*applyset.Parent, error) {
	parent, err := readParent(ctx, c, set, objects)
	if err != nil || parent.Exists() || set.Namespace != "" {
		return parent, err
	}
	live, err := c.LiveAll(ctx, objects)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return parent, nil // Deleting the object says so of it.
	}
	elsewhere, err := (&search{c, set, objects, live, func(string, ...any) {}}).parent(ctx)
	if _, uncertain := errors.AsType[*uncertainError](err); uncertain {
		note("only what the kustomization has is deleted: %v", err)
		return parent, nil
	}
	if err != nil || elsewhere != nil {
		return elsewhere, err
	}
	return parent, nil
}

// members returns what is to be deleted besides the objects.
func (r *removal) members() []kube.Object {
	var all []kube.Object
	for o := range r.gone {
		all = append(all, o)
	}
	return all
}

// has says whether an object is a member of the set.
func (r *removal) has(live kube.Object) bool {
	return r.parent != nil && live != nil && live.GetLabels()[applyset.PartOfLabel] == r.parent.ID()
}

// isAnothers says whether an object is a member of another set than this one.
func (r *removal) isAnothers(live kube.Object) bool {
	return r.parent != nil && live.GetLabels()[applyset.PartOfLabel] != "" && !r.has(live)
}

// end deletes the parent if no member is left. Objects whose deletion has only begun may
// still be there, held by finalizers or until their pods are gone: then the parent has to
// stay, or nothing would find them.
func (r *removal) end(ctx context.Context, c *kube.Cluster, begun []client.Object, report event.Report) error {
	if r.parent == nil {
		return nil
	}
	record := r.parent.Live()
	if slices.ContainsFunc(begun, func(o client.Object) bool {
		return kube.Kind(o) == kube.NamespaceKind && o.GetName() == record.GetNamespace()
	}) {
		report.Done(record, string(plan.Deleted)) // It goes with its namespace.
		return nil
	}
	left, err := r.left(ctx, c, begun)
	switch {
	case err != nil:
		return err
	case left != nil:
		report.Explains(record, string(plan.Kept), kube.NameIn(left)+" is a member of the set and still on its way out: once it is gone, ko delete -k --ignore-not-found deletes the record")
		return nil
	}
	if err := r.parent.Remove(ctx, c); err != nil {
		return err
	}
	report.Done(record, string(plan.Deleted))
	return nil
}

// left returns a member whose deletion has begun, and that is still there, or nil.
func (r *removal) left(ctx context.Context, c *kube.Cluster, begun []client.Object) (kube.Object, error) {
	var members []kube.Object
	for _, o := range begun {
		if o, ok := o.(kube.Object); ok && r.has(o) {
			members = append(members, o)
		}
	}
	live, err := c.LiveAll(ctx, members)
	if err != nil {
		return nil, fmt.Errorf("asking whether members of the set are gone, the record of which stays until then: %w", err)
	}
	for i, o := range live {
		if o != nil && o.GetUID() == members[i].GetUID() {
			return o, nil
		}
	}
	return nil, nil
}
