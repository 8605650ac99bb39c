package plan

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// remade returns what the object would be that is deleted and made anew, or nil if the
// API server does not say: it may refuse a second one beside the first, as a Service
// with the same address. It gets another UID; so that only what differs for other
// reasons is a difference, this has the one before.
func (c *Change) remade(ctx context.Context, cluster *kube.Cluster) kube.Object {
	made, err := makeElsewhere(ctx, cluster, c.Object)
	if err != nil {
		return nil
	}
	names := map[string]string{made.GetName(): c.Object.GetName(), string(made.GetUID()): string(c.Before.GetUID())}
	made.Object, _ = renamed(made.Object, names).(map[string]any)
	unstructured.RemoveNestedField(made.Object, "metadata", "generateName")
	made.SetCreationTimestamp(c.Before.GetCreationTimestamp())
	return made
}

// makeElsewhere returns what the API server would make of an object if it were not
// there yet: with another name, and by a dry run.
func makeElsewhere(ctx context.Context, c *kube.Cluster, o kube.Object) (kube.Object, error) {
	other := o.DeepCopy()
	other.SetGenerateName(o.GetName() + "-")
	other.SetName("")
	return other, c.Create(ctx, other, CreateOptions(client.DryRunAll)...)
}

// renamed returns a value in which texts are replaced by others. Pods and Jobs know
// each other by such texts in their labels.
func renamed(value any, names map[string]string) any {
	switch value := value.(type) {
	case map[string]any:
		for key, field := range value {
			value[key] = renamed(field, names)
		}
	case []any:
		for i, item := range value {
			value[i] = renamed(item, names)
		}
	case string:
		if name, found := names[value]; found {
			return name
		}
	}
	return value
}
