package applyset

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/koshop/koshop/internal/kube"
)

// foresight returns what there is going to be of live objects.
type foresight func(present, live []kube.Object) []kube.Object

func asItIs(_, live []kube.Object) []kube.Object { return live }

// rolledOut returns live objects as they are going to be when the present ones are ready:
// these are as they were rendered, and workloads that replace their pods have replaced
// them. Pods of others stay: see [replacesPods]. A Job may end before.
func rolledOut(present, live []kube.Object) []kube.Object {
	then := map[string]kube.Object{}
	for _, o := range present {
		then[kube.NameIn(o)] = o
	}
	replacing := sets.New[types.UID]() // what makes pods that are going to be others
	for _, o := range live {
		if next := then[kube.NameIn(o)]; next != nil && replacesPods(next) {
			replacing.Insert(o.GetUID())
		}
	}
	all, idle := []kube.Object{}, sets.New[types.UID]()
	for _, o := range live {
		owner := metav1.GetControllerOf(o)
		switch next := then[kube.NameIn(o)]; {
		case next != nil:
			o = next
		case owner != nil && replacing.Has(owner.UID) && o.GetKind() == "ReplicaSet":
			idle.Insert(o.GetUID())
			o = withoutPods(o)
		}
		all = append(all, o)
	}
	left := all[:0]
	for _, o := range all {
		owner := metav1.GetControllerOf(o)
		if goes := o.GetKind() == "Pod" && owner != nil && (replacing.Has(owner.UID) || idle.Has(owner.UID)); !goes {
			left = append(left, o)
		}
	}
	return left
}

// replacesPods says whether an object replaces its pods by itself when its template has
// changed, or is made anew with them, as a Job.
func replacesPods(o kube.Object) bool {
	strategy := kube.Text(o, "spec", "updateStrategy", "type")
	switch kube.Kind(o) {
	case schema.GroupKind{Group: "apps", Kind: "Deployment"}:
		paused, _, _ := unstructured.NestedBool(o.Object, "spec", "paused")
		return !paused
	case schema.GroupKind{Group: "apps", Kind: "StatefulSet"}:
		partition, _, _ := unstructured.NestedInt64(o.Object, "spec", "updateStrategy", "rollingUpdate", "partition")
		return strategy != "OnDelete" && partition == 0
	case schema.GroupKind{Group: "apps", Kind: "DaemonSet"}:
		return strategy != "OnDelete"
	case schema.GroupKind{Group: "batch", Kind: "Job"}:
		return true
	}
	return false
}

// withoutPods returns a copy of a ReplicaSet that has none.
func withoutPods(o kube.Object) kube.Object {
	o = o.DeepCopy()
	for _, field := range []string{"spec", "status"} {
		fields, found, _ := unstructured.NestedMap(o.Object, field)
		if !found {
			fields = map[string]any{}
		}
		fields["replicas"] = int64(0)
		o.Object[field] = fields
	}
	return o
}
