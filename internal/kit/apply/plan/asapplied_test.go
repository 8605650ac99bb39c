package plan

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kube"
)

// thing returns an object of which its fields are left to say.
func thing(t *testing.T, text string) kube.Object {
	t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Thing", "metadata": map[string]any{"name": "thing"}}}
	for name, field := range fields(t, text) {
		o.Object[name] = field
	}
	return o
}

// entry is what a manager owns of an object.
func entry(manager string, operation metav1.ManagedFieldsOperationType, owned string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: operation, APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(owned),
	}
}

// A manifest is there as it was applied if its fields are the ones that are ours, and
// have their values.
func TestIsAsApplied(t *testing.T) {
	const (
		ports = `{"f:ports": {"k:{\"port\":1,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}, "k:{\"port\":2,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}}`
		both  = `{ports: [{port: 1, protocol: TCP}, {port: 3, protocol: TCP}, {port: 2, protocol: TCP}]}`
	)
	for name, test := range map[string]struct {
		live, owned, wanted string
		want                bool
	}{
		"the same":                      {`{a: 1}`, `{"f:a": {}}`, `{a: 1}`, true},
		"a default beside it":           {`{a: 1, b: 2}`, `{"f:a": {}}`, `{a: 1}`, true},
		"another value":                 {`{a: 2}`, `{"f:a": {}}`, `{a: 1}`, false},
		"another type":                  {`{a: "1"}`, `{"f:a": {}}`, `{a: 1}`, false},
		"a field that is not ours":      {`{a: 1, b: 2}`, `{"f:a": {}}`, `{a: 1, b: 2}`, false},
		"a field that is gone":          {`{a: 1}`, `{"f:a": {}, "f:b": {}}`, `{a: 1}`, false},
		"a field that is ours no more":  {`{a: 1, b: 2}`, `{"f:a": {}, "f:b": {}}`, `{a: 1}`, false},
		"fields below":                  {`{a: {b: 1, c: 2}}`, `{"f:a": {"f:b": {}}}`, `{a: {b: 1}}`, true},
		"none below":                    {`{a: {b: 1}}`, `{"f:a": {"f:b": {}}}`, `{a: {}}`, false},
		"a whole map":                   {`{a: {b: 1}}`, `{"f:a": {}}`, `{a: {b: 1}}`, true},
		"a part of a whole map":         {`{a: {b: 1, c: 2}}`, `{"f:a": {}}`, `{a: {b: 1}}`, false},
		"an empty map":                  {`{a: {}}`, `{"f:a": {}}`, `{a: {}}`, true},
		"an empty map with more":        {`{a: {b: 1}}`, `{"f:a": {}}`, `{a: {}}`, false},
		"nothing":                       {`{a: null}`, `{"f:a": {}}`, `{a: null}`, false},
		"a label":                       {`{metadata: {name: thing, labels: {a: b, c: d}}}`, `{"f:metadata": {"f:labels": {"f:a": {}}}}`, `{metadata: {name: thing, namespace: api, labels: {a: b}, creationTimestamp: null}}`, true},
		"items by two fields":           {both, ports, `{ports: [{port: 1}, {port: 2}]}`, true},
		"items in another order":        {both, ports, `{ports: [{port: 2}, {port: 1}]}`, false},
		"an item less":                  {both, ports, `{ports: [{port: 1}]}`, false},
		"an item that is another's":     {both, ports, `{ports: [{port: 1}, {port: 3}, {port: 2}]}`, false},
		"an item that is gone":          {`{ports: [{port: 1, protocol: TCP}]}`, ports, `{ports: [{port: 1}, {port: 2}]}`, false},
		"a field of the key more":       {both, ports, `{ports: [{port: 1, protocol: TCP}, {port: 2}]}`, false},
		"one of two items, but which":   {`{ports: [{port: 1, protocol: TCP}, {port: 1, protocol: UDP}]}`, `{"f:ports": {"k:{\"port\":1,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}, "k:{\"port\":1,\"protocol\":\"UDP\"}": {".": {}, "f:port": {}}}}`, `{ports: [{port: 1}, {port: 1, protocol: UDP}]}`, false},
		"items by their values":         {`{a: [p, q, r]}`, `{"f:a": {"v:\"p\"": {}, "v:\"r\"": {}}}`, `{a: [p, r]}`, true},
		"an item by value that is gone": {`{a: [p, q]}`, `{"f:a": {"v:\"p\"": {}, "v:\"r\"": {}}}`, `{a: [p, r]}`, false},
		"items by their places":         {`{a: [p]}`, `{"f:a": {"i:0": {}}}`, `{a: [p]}`, false},
		"a whole list":                  {`{a: [p, q]}`, `{"f:a": {}}`, `{a: [p, q]}`, true},
		"a list that is a map there":    {`{a: {b: 1}}`, `{"f:a": {"f:b": {}}}`, `{a: [1]}`, false},
		"a value that is a map there":   {`{a: {b: 1}}`, `{"f:a": {"f:b": {}}}`, `{a: 1}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			live := thing(t, test.live)
			live.SetManagedFields([]metav1.ManagedFieldsEntry{
				entry("another", metav1.ManagedFieldsOperationUpdate, `{"f:a": {}}`), entry(FieldManager, metav1.ManagedFieldsOperationApply, test.owned),
			})
			if got := isAsApplied(live, thing(t, test.wanted)); got != test.want {
				t.Errorf("as applied: %v, want %v", got, test.want)
			}
		})
	}
}

// Who owns the fields matters as much as what they are.
func TestIsAsAppliedBy(t *testing.T) {
	ours := entry(FieldManager, metav1.ManagedFieldsOperationApply, `{"f:a": {}}`)
	older := ours
	older.APIVersion = "v1beta1"
	for name, test := range map[string]struct {
		owners []metav1.ManagedFieldsEntry
		want   bool
	}{
		"us":                          {[]metav1.ManagedFieldsEntry{ours}, true},
		"nobody":                      {nil, false},
		"another":                     {[]metav1.ManagedFieldsEntry{entry("another", metav1.ManagedFieldsOperationApply, `{"f:a": {}}`)}, false},
		"us in another version":       {[]metav1.ManagedFieldsEntry{older}, false},
		"us in two versions":          {[]metav1.ManagedFieldsEntry{older, ours}, false},
		"us and kubectl":              {[]metav1.ManagedFieldsEntry{ours, entry("kubectl", metav1.ManagedFieldsOperationApply, `{"f:b": {}}`)}, false},
		"us, by ko create":            {[]metav1.ManagedFieldsEntry{entry(FieldManager, metav1.ManagedFieldsOperationUpdate, `{"f:a": {}}`)}, false},
		"us, with a record no record": {[]metav1.ManagedFieldsEntry{entry(FieldManager, metav1.ManagedFieldsOperationApply, `{"a": {}}`)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			live := thing(t, `{a: 1}`)
			live.SetManagedFields(test.owners)
			if got := isAsApplied(live, thing(t, `{a: 1}`)); got != test.want {
				t.Errorf("as applied: %v, want %v", got, test.want)
			}
		})
	}
	for name, test := range map[string]struct {
		live, wanted kube.Object
		want         bool
	}{
		"what is not there":                     {nil, thing(t, `{a: 1}`), false},
		"what nobody asks for":                  {thing(t, `{a: 1}`), thing(t, `{}`), true},
		"what nobody asks for and is not there": {nil, thing(t, `{}`), false},
	} {
		if got := isAsApplied(test.live, test.wanted); got != test.want {
			t.Errorf("%s: as applied: %v, want %v", name, got, test.want)
		}
	}
}
