package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// removal is what is known of a set that is deleted with the objects of a kustomization.
type removal struct {
	parent *applyset.Parent     // nil where there is no set, or its members are not known
	record kube.Object          // the same, also where its members are not known
	own    sets.Set[string]     // ids that this set has or could have; nil if that is not known
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
	parent, err := r.findParent(ctx, c, set, objects, note)
	if err != nil {
		return nil, nil, fmt.Errorf("nothing was deleted: %w", err)
	}
	if parent == nil {
		return r, nil, nil
	}
	r.own, r.record = sets.New(parent.ID()), parent.Live()
	found, err := parent.Find(ctx, c, nil)
	if err != nil {
		return r, fmt.Errorf("what is gone from the kustomization is still there, and %s, the record of it: %w", kube.NameIn(parent.Live()), err), nil
	}
	r.parent = parent
	r.sort(found, objects, report)
	return r, nil, nil
}

// sort tells the members that are to be deleted besides the objects from those that are
// kept, or on their way out already.
func (r *removal) sort(found *applyset.Found, objects []kube.Object, report event.Report) {
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
}

// findParent returns the parent of the set, where it is or where it was left, or nil if
// there is none or this user may not read it. If it is uncertain whether it is that of
// this set, a note says so, and the objects are deleted without the set. Then, and where
// there is no parent, it notes in r.own which objects can be of this set. Without the
// permission to look for parents that is known only if the user has said where this one is.
func (r *removal) findParent(ctx context.Context, c *kube.Cluster, set applyset.Set, objects []kube.Object, note func(string, ...any)) (*applyset.Parent, error) {
	r.own = idsOf(set, homes(objects, c.Namespace))
	parent, err := findToRemove(ctx, c, set, objects, note)
	uncertain, is := errors.AsType[*uncertainError](err)
	switch {
	case is && uncertain.chosen:
		return nil, err
	case is:
		note("only what the kustomization has is deleted: %v", err)
		r.own.Delete(uncertain.id)
	case err != nil && !apierrors.IsForbidden(err):
		return nil, err
	case err == nil && parent.Exists():
		return parent, nil
	}
	if mayBeElsewhere := is && uncertain.unknown || !is && err != nil; mayBeElsewhere && !set.OnlyHere && set.Namespace == "" {
		r.own = nil
	}
	return nil, nil
}

// findToRemove finds the parent as [membership.findParent] does. A note tells of one that
// was left elsewhere: its members are deleted too. Other deployments of the kustomization
// are no reason for a note.
func findToRemove(ctx context.Context, c *kube.Cluster, set applyset.Set, objects []kube.Object, note func(string, ...any)) (*applyset.Parent, error) {
	here, err := readParent(ctx, c, set, objects)
	if err != nil || isCertain(here, set, objects, c.Namespace) {
		return here, err
	}
	live, err := c.LiveAll(ctx, objects)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil && !here.Exists() {
		return here, nil // Deleting the object says so of it.
	}
	if err != nil {
		return nil, fmt.Errorf("finding out whether %s is the record of this set: %w", kube.NameIn(here.Live()), err)
	}
	parent, err := (&search{c, set, objects, live, func(string, ...any) {}}).find(ctx, here)
	if err == nil && parent.Exists() && parent != here {
		note("the record of the set is %s, where the kustomization has no object any more: all members of that set are deleted", kube.NameIn(parent.Live()))
	}
	return parent, err
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
	return live != nil && r.own.Has(live.GetLabels()[applyset.PartOfLabel])
}

// isAnothers says whether an object is a member of another set than this one, whether or
// not there is this one.
func (r *removal) isAnothers(live kube.Object) bool {
	return r.own != nil && live.GetLabels()[applyset.PartOfLabel] != "" && !r.has(live)
}

// isHome says whether an object is the namespace that the record of the set is in.
func (r *removal) isHome(o kube.Object) bool {
	return r.record != nil && kube.Kind(o) == kube.NamespaceKind && o.GetName() == r.record.GetNamespace()
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
