package plan

import (
	"cmp"
	"slices"

	"github.com/koshop/koshop/internal/kube"
)

// first are the kinds that others rest on or are bounded by, in the order in which
// they are sent. It is fluxcd's.
var first = []string{
	"CustomResourceDefinition", "Namespace", "ClusterRole", "ClusterClass", "RuntimeClass", "PriorityClass", "StorageClass",
	"VolumeSnapshotClass", "IngressClass", "GatewayClass", "ClusterRoleBinding", "ResourceQuota", "ServiceAccount", "Role",
	"RoleBinding", "ConfigMap", "Secret", "Service", "LimitRange", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget",
}

// last are the kinds that could keep the others out.
var last = []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}

// InOrder sorts objects in the order in which they are sent.
func InOrder(objects []kube.Object) {
	slices.SortStableFunc(objects, func(a, b kube.Object) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(kube.Kind(a).String(), kube.Kind(b).String()),
			cmp.Compare(a.GetNamespace(), b.GetNamespace()),
			cmp.Compare(a.GetName(), b.GetName()),
		)
	})
}

func rank(o kube.Object) int {
	if i := slices.Index(first, o.GetKind()); i >= 0 {
		return i - len(first)
	}
	return slices.Index(last, o.GetKind()) + 1
}
