package class

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// groups are those of the kinds that a class may consist of. Every cluster has them.
var groups = []schema.GroupVersion{
	corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion,
	networkingv1.SchemeGroupVersion, policyv1.SchemeGroupVersion, rbacv1.SchemeGroupVersion,
}

// clusterWide are the kinds of these groups that are in no namespace.
var clusterWide = []string{"Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "IngressClass", "IPAddress", "ServiceCIDR"}

// kinds knows how the API server calls these kinds. The client would ask it
// otherwise, by requests that no context ends.
func kinds() meta.RESTMapper {
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, group := range groups {
		for kind := range scheme.Scheme.KnownTypes(group) {
			scope := meta.RESTScopeNamespace
			if slices.Contains(clusterWide, kind) {
				scope = meta.RESTScopeRoot
			}
			mapper.Add(group.WithKind(kind), scope)
		}
	}
	return mapper
}
