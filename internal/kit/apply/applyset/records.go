package applyset

import (
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
