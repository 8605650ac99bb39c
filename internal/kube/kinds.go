package kube

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// groups are those of the built-in kinds that the kit and the workshop ask for.
var groups = []schema.GroupVersion{
	corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion, authorizationv1.SchemeGroupVersion,
	networkingv1.SchemeGroupVersion, policyv1.SchemeGroupVersion, rbacv1.SchemeGroupVersion,
}

// clusterWide are the kinds of these groups that are in no namespace.
var clusterWide = []string{
	"Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "IngressClass", "IPAddress", "ServiceCIDR",
	"SubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview",
}

// BuiltIn knows how the API server calls the kinds that every cluster has. The
// client would ask it otherwise, by requests that no context ends.
func BuiltIn() meta.RESTMapper {
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
