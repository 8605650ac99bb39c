package plan

import (
	"context"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// autoscalerKind is what sets the replicas of workloads, that others build on too:
// https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
var autoscalerKind = schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}

// autoscalers knows the workloads that an autoscaler scales. It asks for those of a
// namespace once, and only where somebody has to know.
type autoscalers struct {
	cluster *kube.Cluster
	set     []kube.Object // among the objects that are sent

	mu    sync.Mutex
	asked map[string][]kube.Object // by namespace
}

func newAutoscalers(c *kube.Cluster, objects []kube.Object) *autoscalers {
	a := &autoscalers{cluster: c, asked: map[string][]kube.Object{}}
	for _, o := range objects {
		if kube.Kind(o) == autoscalerKind.GroupKind() {
			a.set = append(a.set, o)
		}
	}
	return a
}

// Settle leaves the replicas of a workload that an autoscaler scales as they are,
// and says whether it did. To leave the field out would give it up, and the API
// server would set its default.
func (c *Change) Settle(ctx context.Context, live kube.Object) bool {
	if live == nil || c.autoscalers == nil {
		return false
	}
	wanted, found, err := unstructured.NestedInt64(c.Object.Object, "spec", "replicas")
	there, isThere, errThere := unstructured.NestedInt64(live.Object, "spec", "replicas")
	if !found || !isThere || err != nil || errThere != nil || wanted == there || !c.autoscalers.scale(ctx, live) {
		return false
	}
	c.Object = c.Object.DeepCopy()
	return unstructured.SetNestedField(c.Object.Object, there, "spec", "replicas") == nil
}

func (a *autoscalers) scale(ctx context.Context, live kube.Object) bool {
	targets := func(autoscaler kube.Object) bool {
		group, _ := schema.ParseGroupVersion(kube.Text(autoscaler, "spec", "scaleTargetRef", "apiVersion"))
		return autoscaler.GetNamespace() == live.GetNamespace() &&
			kube.Text(autoscaler, "spec", "scaleTargetRef", "name") == live.GetName() &&
			kube.Kind(live) == schema.GroupKind{Group: group.Group, Kind: kube.Text(autoscaler, "spec", "scaleTargetRef", "kind")}
	}
	if slices.ContainsFunc(a.set, targets) {
		return true
	}
	found, err := a.of(ctx, live.GetNamespace())
	if err != nil {
		return isScaled(live) // Who may not ask believes the record.
	}
	return slices.ContainsFunc(found, targets)
}

// of returns the autoscalers of a namespace.
func (a *autoscalers) of(ctx context.Context, namespace string) ([]kube.Object, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if found, asked := a.asked[namespace]; asked {
		return found, nil
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(autoscalerKind)
	if err := a.cluster.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	found := []kube.Object{}
	for i := range list.Items {
		found = append(found, &list.Items[i])
	}
	a.asked[namespace] = found
	return found, nil
}

// isScaled says whether a controller, and nobody by hand, has set the replicas.
func isScaled(live kube.Object) bool {
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource == "scale" && !strings.HasPrefix(entry.Manager, "kubectl") {
			return true
		}
	}
	return false
}
