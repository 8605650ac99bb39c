package applyset

import (
	"context"
	"maps"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/koshop/koshop/internal/kube"
)

// What is adopted is pruned with the rest of the set; nothing else of it has changed.
func TestAdopt(t *testing.T) {
	v := newTown(t)
	c := newCluster(interceptor.Funcs{}, v.web, v.now, v.old, v.revision)
	present := []kube.Object{v.web, v.now}
	p := parentOf(t, c)
	wantError(t, p.Extend(t.Context(), c, present))
	candidates, _, err := Adoptable(t.Context(), c, present)
	if err != nil || len(candidates) != 1 {
		t.Fatalf("error %v, candidates %v", err, candidates)
	}
	wantError(t, p.Adopt(t.Context(), c, candidates[0]))
	wantError(t, p.Adopt(t.Context(), c, candidates[0]), "making configmap/"+v.old.GetName()+" in namespace api a member of the set: ")
	adopted := live(t, c, v.old)
	if !maps.Equal(adopted.GetLabels(), map[string]string{PartOfLabel: shop.ID()}) || kube.Text(adopted, "data", "color") != "red" {
		t.Errorf("it has become %v", adopted.Object)
	}
	found, err := p.Find(t.Context(), c, present)
	if err != nil || !slices.Equal(names(found.Gone), []string{kube.Name(v.old)}) {
		t.Errorf("error %v, found %v", err, found)
	}
}

// A permission that is missing for a proof is an error, and not the proof.
func TestAdoptRefused(t *testing.T) {
	v := newTown(t)
	var denied string
	c := newCluster(interceptor.Funcs{
		List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if kind := list.(*unstructured.UnstructuredList).GetKind(); kind == denied+"List" {
				return forbidden(v.old)
			}
			return w.List(ctx, list, opts...)
		},
		Patch: func(_ context.Context, _ client.WithWatch, o client.Object, _ client.Patch, _ ...client.PatchOption) error {
			return forbidden(o)
		},
	}, v.web, v.now, v.old, v.revision)
	for kind, want := range map[string]string{"ConfigMap": "configmaps", "Pod": "pods", "ControllerRevision": "controllerrevisions.apps", "Ingress": "ingresses.networking.k8s.io"} {
		denied = kind
		candidates, kept, err := Adoptable(t.Context(), c, []kube.Object{v.web, v.now})
		wantError(t, err, "permission is missing: verb list, resource "+want+", namespace api;")
		if len(candidates)+len(kept) > 0 {
			t.Errorf("candidates %v, kept %v", candidates, kept)
		}
	}
	wantError(t, (&Parent{Set: shop}).Adopt(t.Context(), c, Candidate{Object: v.old}), "permission is missing: verb patch, resource configmaps, namespace api;")
}

// All kinds that name ConfigMaps or Secrets are those of Kubernetes.
func TestUsing(t *testing.T) {
	kinds := mapper()
	for group, resources := range using {
		for kind, resource := range resources {
			mapping, err := kinds.RESTMapping(group.WithKind(kind).GroupKind())
			if err != nil || mapping.Resource.Resource != resource || mapping.GroupVersionKind.GroupVersion() != group {
				t.Errorf("%s of %s: %v, error %v", kind, group, mapping, err)
			}
		}
	}
}
