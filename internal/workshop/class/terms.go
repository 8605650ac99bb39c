package class

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Bounds is the name of what bounds a namespace of one attendee: a ResourceQuota, a
// LimitRange and a NetworkPolicy.
const Bounds = "class"

// Terms are what the manifests give every attendee alike, whatever overlays there are.
type Terms struct {
	Own     []rbacv1.PolicyRule // in a namespace of their own
	Shared  []rbacv1.PolicyRule // in one that the class shares
	Connect []rbacv1.PolicyRule // where the traffic manager is
	Limits  corev1.LimitRangeSpec
	Counts  Demand // the part of the quota that is not computed from overlays
}

// ReadTerms reads them from the manifests.
func ReadTerms() (Terms, error) {
	var terms Terms
	for manifest, rules := range map[string]*[]rbacv1.PolicyRule{"own.yaml": &terms.Own, "shared.yaml": &terms.Shared, "connect.yaml": &terms.Connect} {
		var role rbacv1.Role
		if err := read(manifest, "Role", &role); err != nil {
			return Terms{}, err
		}
		*rules = role.Rules
	}
	var limits corev1.LimitRange
	var quota corev1.ResourceQuota
	if err := read("own.yaml", "LimitRange", &limits); err != nil {
		return Terms{}, err
	}
	if err := read("own.yaml", "ResourceQuota", &quota); err != nil {
		return Terms{}, err
	}
	terms.Limits, terms.Counts = limits.Spec, quota.Spec.Hard
	maps.DeleteFunc(terms.Counts, func(name corev1.ResourceName, _ resource.Quantity) bool { return slices.Contains(counted, name) })
	return terms, nil
}

// read reads into typed the one object of a kind that a manifest has, for no attendee
// in particular.
func read(manifest, kind string, typed any) error {
	objects, err := (&Class{Name: "koshop", Manager: "ambassador"}).seat("ada").objects(manifest)
	if err != nil {
		return err
	}
	objects = slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() != kind })
	if len(objects) != 1 {
		return fmt.Errorf("%s has %d of kind %s, want one", manifest, len(objects), kind)
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(objects[0].Object, typed, true)
}
