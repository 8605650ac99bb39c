package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kube"
)

// readParent reads the parent of a set. It is in the namespace that the set names, or
// else in one of those that the objects are in: where there is one already, or in the
// first of [homes]. The name of the set may be "": then there is none.
func readParent(ctx context.Context, c *kube.Cluster, set applyset.Set, objects []kube.Object) (*applyset.Parent, error) {
	if set.Name == "" {
		return &applyset.Parent{Set: set, Listed: applyset.Of(nil)}, nil
	}
	namespaces := []string{set.Namespace}
	if set.Namespace == "" {
		namespaces = homes(objects, c.Namespace)
	}
	var first *applyset.Parent
	for _, namespace := range namespaces {
		set.Namespace = namespace
		parent, err := set.Read(ctx, c)
		if err != nil || parent.Exists() {
			return parent, err
		}
		if first == nil {
			first = parent
		}
	}
	return first, nil
}

// homes returns the namespaces that objects are in, the one of most of them first, or
// the one of the context if they are in none. The order depends on the objects alone,
// not on who applies them.
func homes(objects []kube.Object, context string) []string {
	count := map[string]int{}
	for _, o := range objects {
		if o.GetNamespace() != "" {
			count[o.GetNamespace()]++
		}
	}
	if len(count) == 0 {
		return []string{context}
	}
	return slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
}

// search looks for the parent of a set outside of the namespaces of its objects. It is
// there if the kustomization no longer has an object in the namespace of the parent.
type search struct {
	cluster       *kube.Cluster
	set           applyset.Set
	objects, live []kube.Object // live is nil for those that are not there
	note          func(format string, args ...any)
}

// find returns the parent of the set: the one where its objects are, if that is there, or
// else one that was left elsewhere. If there is none, it returns the first, which does not
// exist. It fails with an uncertainError if it may be the parent of another deployment.
func (s *search) find(ctx context.Context, here *applyset.Parent) (*applyset.Parent, error) {
	if here.Exists() {
		return here, s.doubtHere(ctx, here)
	}
	elsewhere, err := s.parent(ctx)
	if err != nil || elsewhere != nil {
		return elsewhere, err
	}
	return here, nil
}

// isCertain says whether a parent is that of the set, without a search: the user has named
// it, or it is where it was made. If the user has chosen the namespace of all objects, that
// is no proof for a set with members elsewhere: that is a deployment without --namespace.
func isCertain(parent *applyset.Parent, set applyset.Set, objects []kube.Object, context string) bool {
	isHere := parent.Exists() && parent.Namespace == homes(objects, context)[0]
	return set.Name == "" || set.Namespace != "" || isHere && !(set.OnlyHere && parent.Exceeds(objects))
}

// parent returns the parent, or nil if there is none for certain. It is the set's if live
// objects have its label, and nothing shows that this may be another deployment, which only
// shares an object with that set: see doubt. Notes tell of what may be left elsewhere.
func (s *search) parent(ctx context.Context) (*applyset.Parent, error) {
	ids := s.ids()
	records, known, err := s.records(ctx, ids)
	if err != nil {
		return nil, err
	}
	member := slices.IndexFunc(s.live, func(o kube.Object) bool { return o != nil && ids.Has(o.GetLabels()[applyset.PartOfLabel]) })
	switch {
	case !known && member >= 0:
		o := s.live[member]
		return nil, &uncertainError{unknown: true, text: fmt.Sprintf("%s is part of a set whose record is in none of the namespaces %s: its label %s is %q. "+
			"If it is this set, say where its record is with --applyset NAMESPACE/%s: this user may not list ConfigMaps in the whole cluster. "+
			"If it is another one, remove the label, or leave the object to the other set",
			kube.NameIn(o), strings.Join(homes(s.objects, s.cluster.Namespace), ", "), applyset.PartOfLabel, o.GetLabels()[applyset.PartOfLabel], s.set.Name)}
	case !known:
		s.note("the set %s is new here; whether it had objects in other namespaces before is not known, because this user may not list ConfigMaps in the whole cluster: "+
			"if it had, ko delete -k with --applyset NAMESPACE/%s deletes those", s.set.Name, s.set.Name)
		return nil, nil
	}
	return s.choose(ctx, records, ids)
}

// choose returns the parent that is this set's among those of its name.
func (s *search) choose(ctx context.Context, records []applyset.Set, ids sets.Set[string]) (*applyset.Parent, error) {
	var uncertain error
	for _, record := range records {
		if !ids.Has(record.ID()) {
			continue
		}
		parent, err := record.Read(ctx, s.cluster)
		if err != nil {
			return nil, err
		}
		if !parent.Exists() {
			continue
		}
		err = s.doubt(ctx, parent)
		if _, is := errors.AsType[*uncertainError](err); !is {
			return parent, err
		}
		uncertain = err
	}
	if uncertain == nil && len(records) > 0 && len(ids) == 0 {
		s.note("there is a set %s in %s, too: if the kustomization has moved from there, ko delete -k with --applyset %s/%s deletes what is left there",
			s.set.Name, namespaces(records), records[0].Namespace, s.set.Name)
	}
	return nil, uncertain
}

// ids returns the ids of sets that live objects are part of, but for those whose record
// would be in the namespace of an object: that is not there.
func (s *search) ids() sets.Set[string] {
	ids := sets.New[string]()
	for _, o := range s.live {
		if o != nil && o.GetLabels()[applyset.PartOfLabel] != "" {
			ids.Insert(o.GetLabels()[applyset.PartOfLabel])
		}
	}
	return ids.Difference(idsOf(s.set, homes(s.objects, s.cluster.Namespace)))
}

// idsOf returns the ids that a set has with its record in one of these namespaces, or in
// its own if it names one.
func idsOf(set applyset.Set, namespaces []string) sets.Set[string] {
	if set.Namespace != "" {
		return sets.New(set.ID())
	}
	ids := sets.New[string]()
	for _, namespace := range namespaces {
		set.Namespace = namespace
		ids.Insert(set.ID())
	}
	return ids
}

// records returns the sets of this name. If they are not known, because this user may not
// ask for them, it is known all the same if the label of an object is that of a set with
// the record in the namespace of the context: the label is a hash of that.
func (s *search) records(ctx context.Context, ids sets.Set[string]) (records []applyset.Set, known bool, err error) {
	records, err = s.set.Records(ctx, s.cluster)
	if !apierrors.IsForbidden(err) {
		return records, true, err
	}
	here := s.set
	here.Namespace = s.cluster.Namespace
	return []applyset.Set{here}, ids.Has(here.ID()), nil
}

// mostNamespaces bounds how many namespaces a note names.
const mostNamespaces = 3

// namespaces names the namespaces of records, as far as they are few.
func namespaces(records []applyset.Set) string {
	var all []string
	for _, record := range records[:min(len(records), mostNamespaces)] {
		all = append(all, record.Namespace)
	}
	list := "namespace " + strings.Join(all, ", ")
	if more := len(records) - mostNamespaces; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
