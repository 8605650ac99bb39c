package plan

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/koshop/koshop/internal/kube"
)

func TestIsGiven(t *testing.T) {
	namespaces := schema.GroupResource{Resource: "namespaces"}
	forbidden := apierrors.NewForbidden(namespaces, "api-ada", errors.New("no right to patch it"))
	live := named("Namespace", "api-ada", map[string]any{"enforce": "restricted", "class": "koshop"})
	for name, test := range map[string]struct {
		wanted  kube.Object
		refusal error
		want    bool
	}{
		"as it is":              {named("Namespace", "api-ada", map[string]any{"enforce": "restricted"}), forbidden, true},
		"without labels":        {named("Namespace", "api-ada", nil), forbidden, true},
		"with another level":    {named("Namespace", "api-ada", map[string]any{"enforce": "privileged"}), forbidden, false},
		"with a label more":     {named("Namespace", "api-ada", map[string]any{"enforce": "restricted", "warn": "baseline"}), forbidden, false},
		"one that is not there": {named("Namespace", "api-grace", nil), forbidden, false},
		"another refusal":       {named("Namespace", "api-ada", nil), apierrors.NewBadRequest("no such field"), false},
		"no refusal":            {named("Namespace", "api-ada", nil), nil, false},
		"another kind":          {named("ConfigMap", "api-ada", nil), forbidden, false},
	} {
		t.Run(name, func(t *testing.T) {
			there := live
			if test.wanted.GetName() != live.GetName() {
				there = nil
			}
			if got := IsGiven(test.wanted, there, test.refusal); got != test.want {
				t.Errorf("given: %v, want %v", got, test.want)
			}
		})
	}
}

func named(kind, name string, labels map[string]any) kube.Object {
	metadata := map[string]any{"name": name}
	if labels != nil {
		metadata["labels"] = labels
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind, "metadata": metadata}}
}
