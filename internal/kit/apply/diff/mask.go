package diff

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What is shown of the values of a Secret. These are kubectl's:
// https://github.com/kubernetes/kubectl/blob/v0.34.4/pkg/cmd/diff/diff.go
const (
	masked       = "***"
	maskedBefore = "*** (before)" // of a value that is another afterwards
	maskedAfter  = "*** (after)"
)

// maskSecret replaces every value that a Secret keeps, so that neither a value nor its
// length is shown. One of the states may be nil. As kubectl does, it shows the keys,
// and whether a value that is in both states is another.
func maskSecret(live, merged map[string]any) {
	for _, field := range []string{"data", "stringData"} {
		maskValues(live, merged, field)
	}
	maskKey(annotations(live), annotations(merged), corev1.LastAppliedConfigAnnotation)
}

// maskValues replaces every value in a field of an object. A field that is no map is
// not what a Secret should have; it is masked as a whole.
func maskValues(live, merged map[string]any, field string) {
	before, isMap := live[field].(map[string]any)
	after, isMapToo := merged[field].(map[string]any)
	if live[field] != nil && !isMap || merged[field] != nil && !isMapToo {
		maskKey(live, merged, field)
		return
	}
	for key := range before {
		maskKey(before, after, key)
	}
	for key := range after {
		if _, done := before[key]; !done {
			maskKey(before, after, key)
		}
	}
}

// maskKey replaces what two maps, which may be nil, have under a key.
func maskKey(before, after map[string]any, key string) {
	was, inBefore := before[key]
	is, inAfter := after[key]
	if inBefore && inAfter && !reflect.DeepEqual(was, is) {
		before[key], after[key] = maskedBefore, maskedAfter
		return
	}
	if inBefore {
		before[key] = masked
	}
	if inAfter {
		after[key] = masked
	}
}

// annotations returns those of a state itself, not a copy; nil if it has none.
func annotations(state map[string]any) map[string]any {
	value, _, _ := unstructured.NestedFieldNoCopy(state, "metadata", "annotations")
	annotations, _ := value.(map[string]any)
	return annotations
}
