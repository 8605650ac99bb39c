package applyset

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// definition is one of any kind.
const definition = "apiextensions.k8s.io/v1 CustomResourceDefinition any"

func defines(kind string) func(kube.Object) {
	return func(o kube.Object) {
		o.Object["spec"] = map[string]any{"group": "example.com", "names": map[string]any{"kind": kind}}
	}
}

func ownedBy(owner metav1.OwnerReference) func(kube.Object) {
	return func(o kube.Object) { o.SetOwnerReferences([]metav1.OwnerReference{owner}) }
}

const copied = "it has the label of this set, but ko has not applied it: a controller may have copied the label"

// owners are changes of an object with our label.
var owners = map[string]struct {
	of     string // "v1 ConfigMap api/old" where it is ""
	change func(kube.Object)
	want   string
}{
	"ours":                  {"", func(kube.Object) {}, ""},
	"without a label":       {"", func(o kube.Object) { o.SetLabels(nil) }, "it is not part of this set any more"},
	"part of another set":   {"", func(o kube.Object) { with(o, PartOfLabel, "applyset-x-v1") }, "it is not part of this set any more"},
	"the parent":            {"v1 ConfigMap api/shop", func(kube.Object) {}, "it keeps the record of this set"},
	"named as the parent":   {"v1 ConfigMap b/shop", func(kube.Object) {}, ""},
	"being deleted":         {"", func(o kube.Object) { now := metav1.Now(); o.SetDeletionTimestamp(&now) }, "it is being deleted already"},
	"with a controller":     {"", ownedBy(metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: "1", Controller: new(true)}), "replicaset.apps/web owns it, and it goes with that"},
	"with an owner":         {"", ownedBy(metav1.OwnerReference{APIVersion: "v1", Kind: "Service", Name: "web", UID: "1"}), "service/web owns it, and it goes with that"},
	"owned by the parent":   {"", ownedBy(metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "shop", UID: "parent"}), ""},
	"not applied by us":     {"", func(o kube.Object) { setManagers(o, "kube-controller-manager") }, copied},
	"without any record":    {"", func(o kube.Object) { setManagers(o) }, copied},
	"applied by others too": {"", func(o kube.Object) { setManagers(o, "kubectl", plan.FieldManager) }, ""},
	"adopted, and ours":     {"", func(o kube.Object) { setManagers(o, plan.FieldManager, FieldManager) }, ""},
	"only its status is ours": {"", func(o kube.Object) {
		entries := o.GetManagedFields()
		entries[0].Subresource = "status"
		o.SetManagedFields(entries)
	}, copied},
	"under live reload": {"", func(o kube.Object) {
		setManagers(o, "kubectl-client-side-apply")
		o.SetAnnotations(map[string]string{plan.LiveAnnotation: "true"})
	}, ""},
	"the namespace of the parent":          {"v1 Namespace api", func(kube.Object) {}, "it is the namespace of objects that the kustomization still has"},
	"a namespace of present objects":       {"v1 Namespace b", func(kube.Object) {}, "it is the namespace of objects that the kustomization still has"},
	"another namespace":                    {"v1 Namespace c", func(kube.Object) {}, ""},
	"the definition of a present object":   {definition, defines("Web"), "it defines the kind of objects that the kustomization still has"},
	"the definition of nothing of the set": {definition, defines("Gone"), ""},
}

// Only what has our label, was applied by us and belongs to nobody else is gone.
func TestWhyKept(t *testing.T) {
	parent := shop.Object(Of(nil))
	parent.SetUID("parent")
	p := &Parent{Set: shop, live: parent}
	now := newPresence(decode(t, "v1 Service api/web", "example.com/v1 Web b/web"))
	for name, test := range owners {
		t.Run(name, func(t *testing.T) {
			if test.of == "" {
				test.of = "v1 ConfigMap api/old"
			}
			o := with(applied(decode(t, test.of)...)[0], PartOfLabel, shop.ID())
			test.change(o)
			if got := p.whyKept(o, now); got != test.want {
				t.Errorf("it is kept because %q, want %q", got, test.want)
			}
		})
	}
}
