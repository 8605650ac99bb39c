package applyset

import (
	"cmp"
	"context"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// Records returns the sets of this name whose records the cluster has, in all of its
// namespaces. Two deployments of one kustomization to two namespaces are two such sets.
// It fails if the user may not list ConfigMaps in the whole cluster. It changes nothing.
func (s Set) Records(ctx context.Context, c *kube.Cluster) ([]Set, error) {
	q := query{kind: ParentKind.WithVersion("v1"), resource: parentResource}
	found, err := list(ctx, c, q, client.HasLabels{IDLabel})
	if err != nil {
		return nil, err
	}
	var records []Set
	for _, o := range found {
		record := s
		record.Namespace = o.GetNamespace()
		isOurs := toolName(o.GetAnnotations()[ToolingAnnotation]) == Tool && o.GetLabels()[IDLabel] == record.ID()
		if o.GetName() == s.Name && isOurs {
			records = append(records, record)
		}
	}
	return records, nil
}

// Lacks returns the namespaces of objects in which the set has no members, in order.
func (p *Parent) Lacks(objects []kube.Object) []string {
	known := p.Listed.Namespaces.Clone().Insert(p.Namespace)
	return sets.List(Of(objects).Namespaces.Difference(known))
}

// Exceeds says whether the set may have members in a namespace without any of the objects.
func (p *Parent) Exceeds(objects []kube.Object) bool {
	known := p.Listed.Namespaces.Clone().Insert(p.Namespace)
	return !Of(objects).Namespaces.IsSuperset(known)
}

// Copied returns a member that would be pruned, and one of the objects that is its copy in
// another namespace, or nil if there is none. The object has the kind and the name of the
// member, but for the hash of a generator, and is no member itself: either it has moved
// there, or it is of another deployment of the kustomization. In live is what the cluster
// has of each object, or nil. It fails if the members cannot be listed, and changes nothing.
func (p *Parent) Copied(ctx context.Context, c *kube.Cluster, objects, live []kube.Object) (member, twin kube.Object, err error) {
	found, err := p.Find(ctx, c, objects)
	if err != nil {
		return nil, nil, err
	}
	for i, o := range objects {
		if o.GetNamespace() == "" || live[i] != nil && live[i].GetLabels()[PartOfLabel] == p.ID() {
			continue
		}
		for _, gone := range found.Gone {
			isElsewhere := gone.GetNamespace() != "" && gone.GetNamespace() != o.GetNamespace()
			if isElsewhere && kube.Kind(gone) == kube.Kind(o) && withoutHash(gone) == withoutHash(o) {
				return gone, o, nil
			}
		}
	}
	return nil, nil, nil
}

// withoutHash is the name that an object has in the kustomization.
func withoutHash(o kube.Object) string {
	generator, _ := splitHash(o.GetName())
	return cmp.Or(generator, o.GetName())
}
