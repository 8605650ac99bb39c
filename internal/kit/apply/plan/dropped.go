package plan

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/koshop/koshop/internal/kube"
)

// takenOver returns what would become of an object of which something is taken over.
// The dry run alone keeps the fields that kubectl once set and that are gone from the
// manifest: they go only once they are ours. So they are left out of its answer, and
// the API server is asked, by a second dry run, what it makes of that.
func (c *Change) takenOver(ctx context.Context, cluster *kube.Cluster) (kube.Object, error) {
	ours, err := fieldsOf(c.Before.GetManagedFields(), isOurs)
	if err != nil {
		return nil, err
	}
	kept, err := fieldsOf(c.After.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool { return !isTakenOver(entry) })
	if err != nil {
		return nil, err
	}
	texts, _, _ := unstructured.NestedMap(c.Object.Object, "stringData")
	for key := range texts { // What a Secret's manifest says there stands in its data.
		kept.Insert(fieldpath.MakePathOrDie("data", key))
	}
	after := c.After.DeepCopy()
	drop(after.Object, ours, kept)
	unstructured.RemoveNestedField(after.Object, "metadata", "annotations", lastApplied)
	if len(after.GetAnnotations()) == 0 {
		after.SetAnnotations(nil)
	}
	after.SetManagedFields(c.Before.GetManagedFields())
	after.SetResourceVersion(c.Before.GetResourceVersion())
	after.SetGeneration(c.Before.GetGeneration())
	keepStatus(c.Before, after)
	err = cluster.Patch(ctx, after, client.MergeFrom(c.Before), client.DryRunAll, client.FieldOwner(FieldManager))
	return after, Refusal(c.Object, err)
}

// drop removes from a value the fields and items of a set, but for those that another
// set has, or parts of them, and returns what is left.
func drop(from any, ours, kept *fieldpath.Set) any {
	switch from := from.(type) {
	case map[string]any:
		for name, field := range from {
			element := fieldpath.FieldNameElement(name)
			if isDropped(element, ours, kept) {
				delete(from, name)
				continue
			}
			from[name] = drop(field, ours.WithPrefix(element), kept.WithPrefix(element))
		}
	case []any:
		left := []any{}
		for i, item := range from {
			element, found := elementOf(item, i, ours)
			switch {
			case !found:
				left = append(left, item)
			case !isDropped(element, ours, kept):
				left = append(left, drop(item, ours.WithPrefix(element), kept.WithPrefix(element)))
			}
		}
		return left
	}
	return from
}

// isDropped says whether a set has an element that another one neither has nor has
// parts of.
func isDropped(element fieldpath.PathElement, ours, kept *fieldpath.Set) bool {
	return ours.Members.Has(element) && !kept.Members.Has(element) && kept.WithPrefix(element).Empty()
}

// elementOf finds by which element a set speaks of an item of a list.
func elementOf(item any, place int, set *fieldpath.Set) (found fieldpath.PathElement, ok bool) {
	for _, elements := range []func(func(fieldpath.PathElement)){set.Members.Iterate, set.Children.Iterate} {
		elements(func(element fieldpath.PathElement) {
			if isAt(element, item, place) {
				found, ok = element, true
			}
		})
	}
	return found, ok
}

// isAt says whether an element speaks of an item of a list: by fields of it, by its
// value or by its place.
func isAt(element fieldpath.PathElement, item any, place int) bool {
	switch {
	case element.Key != nil:
		fields, isMap := item.(map[string]any)
		return isMap && !slices.ContainsFunc(*element.Key, func(key value.Field) bool {
			return !value.Equals(value.NewValueInterface(fields[key.Name]), key.Value)
		})
	case element.Value != nil:
		return value.Equals(value.NewValueInterface(item), *element.Value)
	}
	return element.Index != nil && *element.Index == place
}
