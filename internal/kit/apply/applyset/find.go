package applyset

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// Found is what the cluster has of a set besides the objects that were applied.
type Found struct {
	Gone    []kube.Object      // to be pruned, in the order in which they are to be deleted
	Kept    []Kept             // not to be pruned, though they have the label of the set
	Unknown []schema.GroupKind // kinds that the cluster no longer knows; nothing is left of them
}

// Kept is an object that stays as it is.
type Kept struct {
	Object kube.Object
	Why    string // begins with "it" or with the name of another object
}

// Find returns the members of the set that are not among the present objects. These
// are the ones that were just applied, all of the kustomization and not only those that
// a selector matches, with namespaces, and better with the UIDs that they have in the
// cluster. It changes nothing.
//
// As kubectl it asks, for each kind and namespace that the parent lists, for all objects
// with the label of the set. It keeps some that kubectl deletes:
//
//   - an object that a present one names, whatever its UID: it was made anew meanwhile;
//   - an object with an owner. kubectl does not look at owners, though the convention
//     asks tools to stop there. The owner deletes it, or makes it anew, as a Service
//     does with its EndpointSlices, which get the Service's labels;
//   - an object that this program has not applied: a controller has copied the labels
//     of a member, as from a Service to its Endpoints;
//   - a Namespace or a CustomResourceDefinition on which present objects rest.
//
// A kind that the cluster no longer knows is no error: with a definition go all
// objects of its kind. The connection has to be one that asks the API server for its
// kinds: [kube.BuiltIn] knows no other.
func (p *Parent) Find(ctx context.Context, c *kube.Cluster, present []kube.Object) (*Found, error) {
	where := p.Listed
	where.Namespaces = where.Namespaces.Clone().Insert(p.Namespace)
	all, unknown, err := queries(c.RESTMapper(), where)
	if err != nil {
		return nil, fmt.Errorf("looking for objects that are gone from the kustomization: %w", err)
	}
	lists, err := listAll(ctx, c, all, client.MatchingLabels{PartOfLabel: p.ID()})
	if err != nil {
		return nil, fmt.Errorf("looking for objects that are gone from the kustomization: %w", err)
	}
	found, now, served := &Found{}, newPresence(present), sets.New[schema.GroupKind]()
	for i, list := range lists {
		if kind := all[i].kind.GroupKind(); list == nil {
			unknown.Insert(kind)
		} else {
			served.Insert(kind)
		}
		for _, o := range list {
			if now.has(o) {
				continue
			}
			now.add(o) // Another group may serve the same object.
			if why := p.whyKept(o, now); why != "" {
				found.Kept = append(found.Kept, Kept{o, why})
			} else {
				found.Gone = append(found.Gone, o)
			}
		}
	}
	found.Unknown = unknown.Difference(served).UnsortedList()
	found.sort()
	return found, nil
}

// Foresee returns what [Parent.Find] will return once the parent lists these members. It
// changes nothing, and shows before a run which permissions it lacks.
func (p *Parent) Foresee(ctx context.Context, c *kube.Cluster, members, present []kube.Object) (*Found, error) {
	then := *p
	then.Listed = p.Listed.Union(Of(members))
	return then.Find(ctx, c, present)
}

// whyKept says why an object is not to be pruned, or "".
func (p *Parent) whyKept(o kube.Object, now presence) string {
	if why := p.whyNotOurs(o); why != "" {
		return why
	}
	switch kube.Kind(o) {
	case kube.NamespaceKind:
		if o.GetName() == p.Namespace || now.namespaces.Has(o.GetName()) {
			return "it is the namespace of objects that the kustomization still has"
		}
	case kube.DefinitionKind:
		if now.kinds.Has(definedKind(o)) {
			return "it defines the kind of objects that the kustomization still has"
		}
	}
	return ""
}

// whyNotOurs says why the object is not ours to delete, whatever is present, or "".
func (p *Parent) whyNotOurs(o kube.Object) string {
	if o.GetLabels()[PartOfLabel] != p.ID() {
		return "it is not part of this set any more"
	}
	if p.isParent(o) {
		return "it keeps the record of this set"
	}
	if o.GetDeletionTimestamp() != nil {
		return "it is being deleted already"
	}
	for _, owner := range o.GetOwnerReferences() {
		if p.live == nil || owner.UID != p.live.GetUID() {
			return ownerName(owner) + " owns it, and it goes with that"
		}
	}
	if !wasApplied(o) {
		return "it has the label of this set, but " + Tool + " has not applied it: a controller may have copied the label"
	}
	return ""
}

// wasApplied says whether this program has applied an object, or has it under live
// reload, when its fields are kubectl's.
func wasApplied(o kube.Object) bool {
	for _, entry := range o.GetManagedFields() {
		if entry.Manager == plan.FieldManager && entry.Subresource == "" {
			return true
		}
	}
	return plan.IsLent(o)
}

func ownerName(owner metav1.OwnerReference) string {
	group, _, found := strings.Cut(owner.APIVersion, "/")
	if !found {
		group = ""
	}
	return strings.ToLower(schema.GroupKind{Group: group, Kind: owner.Kind}.String()) + "/" + owner.Name
}

func definedKind(definition kube.Object) schema.GroupKind {
	return schema.GroupKind{Group: kube.Text(definition, "spec", "group"), Kind: kube.Text(definition, "spec", "names", "kind")}
}

// presence knows the objects that the kustomization has.
type presence struct {
	uids       sets.Set[types.UID]
	names      sets.Set[string]
	namespaces sets.Set[string] // that objects are in
	kinds      sets.Set[schema.GroupKind]
}

// newPresence reads which objects there are. One without a UID may be served under
// another group than it was applied in, so that its group does not count.
func newPresence(objects []kube.Object) presence {
	in := Of(objects)
	now := presence{sets.New[types.UID](), sets.New[string](), in.Namespaces, in.Kinds}
	for _, o := range objects {
		now.names.Insert(kube.NameIn(o))
		if o.GetUID() == "" {
			now.names.Insert(inAnyGroup(o))
		}
		now.add(o)
	}
	return now
}

// add notes that this very object is known.
func (now presence) add(o kube.Object) {
	if o.GetUID() != "" {
		now.uids.Insert(o.GetUID())
	}
}

func (now presence) has(o kube.Object) bool {
	return now.uids.Has(o.GetUID()) || now.names.HasAny(kube.NameIn(o), inAnyGroup(o))
}

// inAnyGroup is a name that [kube.NameIn] returns for no object.
func inAnyGroup(o kube.Object) string {
	return strings.ToLower(o.GetKind()) + ".*/" + o.GetName() + " in namespace " + o.GetNamespace()
}
