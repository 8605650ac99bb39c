package plan

import (
	"maps"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/koshop/koshop/internal/kube"
)

// isAsApplied says whether an object in the cluster is already what applying a manifest
// makes of it, so that the API server need not be asked. It is so if the record of who
// owns what says that this program applied exactly the fields of the manifest, and each
// of them still has its value: then applying takes no field away, adds none, changes none
// and meets no conflict (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
//
// If it returns false, that says nothing: only the API server knows that 1000m is 1, for
// example.
func isAsApplied(live, manifest kube.Object) bool {
	if live == nil || hasOthers(live) || IsLent(manifest) {
		return false
	}
	var own []metav1.ManagedFieldsEntry
	for _, entry := range live.GetManagedFields() {
		if isOurs(entry) {
			own = append(own, entry)
		}
	}
	wanted := withoutIdentity(manifest)
	if len(own) == 0 { // There is no record of a manifest that asks for nothing, such as that of a namespace.
		return len(wanted) == 0
	}
	if len(own) > 1 || own[0].APIVersion != manifest.GetAPIVersion() {
		return false
	}
	fields, err := fieldsOf(own, isOurs)
	compare := comparison{defaults[kube.Kind(manifest).Group]}
	return err == nil && compare.holdsExactly(live.Object, wanted, fields)
}

// withoutIdentity returns the fields of a manifest that stand in the record of who owns
// what if it is applied: all but those that say which object it is.
func withoutIdentity(manifest kube.Object) map[string]any {
	rest := maps.Clone(manifest.Object)
	delete(rest, "apiVersion")
	delete(rest, "kind")
	metadata, ok := rest["metadata"].(map[string]any)
	if !ok {
		return rest
	}
	metadata = maps.Clone(metadata)
	delete(metadata, "name")
	delete(metadata, "namespace")
	if metadata["creationTimestamp"] == nil { // Programs that print typed objects write it so.
		delete(metadata, "creationTimestamp")
	}
	if rest["metadata"] = metadata; len(metadata) == 0 {
		delete(rest, "metadata")
	}
	return rest
}

// comparison compares an object with its manifest.
type comparison struct{ defaults map[string]map[string]any }

// holdsExactly says whether a value that is wanted has exactly the fields and items of a
// set, and each of them has the same value in the cluster.
func (c comparison) holdsExactly(live, wanted any, owned *fieldpath.Set) bool {
	switch wanted := wanted.(type) {
	case map[string]any:
		live, ok := live.(map[string]any)
		return ok && len(wanted) == elements(owned).Size() && c.holdsFields(live, wanted, owned)
	case []any:
		live, ok := live.([]any)
		return ok && len(wanted) == elements(owned).Size() && c.holdsItems(live, wanted, owned)
	}
	return false
}

// elements returns those that a set has at its top.
func elements(of *fieldpath.Set) *fieldpath.PathElementSet {
	all := of.Members.Copy()
	for element := range of.Children.All() {
		all.Insert(element)
	}
	return &all
}

func (c comparison) holdsFields(live, wanted map[string]any, owned *fieldpath.Set) bool {
	for name, value := range wanted {
		there, found := live[name]
		if !found || !c.holdsElement(there, value, fieldpath.FieldNameElement(name), owned) {
			return false
		}
	}
	return true
}

// holdsItems compares the items of a list. They have to be in the same order: applying
// them in another one moves them.
func (c comparison) holdsItems(live, wanted []any, owned *fieldpath.Set) bool {
	next := 0 // the first place in live where the next item may be
	for _, item := range wanted {
		element, found := onlyElement(item, owned)
		if !found {
			return false
		}
		for next < len(live) && !isAt(element, live[next], next) {
			next++
		}
		if next == len(live) || !c.holdsElement(live[next], item, element, owned) {
			return false
		}
		next++
	}
	return true
}

// holdsElement compares the value of a field or an item that a set may have. A value of
// which the set has no part is owned as a whole, with the defaults in it.
func (c comparison) holdsElement(live, wanted any, element fieldpath.PathElement, owned *fieldpath.Set) bool {
	if below := owned.WithPrefix(element); !below.Empty() {
		return c.holdsExactly(live, wanted, below)
	}
	if wanted == nil || !owned.Members.Has(element) {
		return false
	}
	name := ""
	if element.FieldName != nil {
		name = *element.FieldName
	}
	return reflect.DeepEqual(live, wanted) || reflect.DeepEqual(live, withDefaults(wanted, name, c.defaults))
}

// onlyElement returns the element of a set that speaks of an item that is wanted. The
// manifest may leave out a part of a key, such as the protocol of a port, so that
// several may speak of it; then which one it is is not known here.
func onlyElement(item any, owned *fieldpath.Set) (found fieldpath.PathElement, ok bool) {
	count := 0
	for element := range elements(owned).All() {
		if mayBeAt(element, item) {
			found = element
			count++
		}
	}
	return found, count == 1
}

// mayBeAt says whether an element may speak of an item: by its value, or by fields of it
// of which none has another value.
func mayBeAt(element fieldpath.PathElement, item any) bool {
	if element.Key == nil {
		return element.Value != nil && value.Equals(value.NewValueInterface(item), *element.Value)
	}
	fields, ok := item.(map[string]any)
	if !ok {
		return false
	}
	for _, key := range *element.Key {
		if wanted, there := fields[key.Name]; there && !value.Equals(value.NewValueInterface(wanted), key.Value) {
			return false
		}
	}
	return true
}
