package class

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/koshop/koshop/internal/kit/render"
)

// Of whatever an attendee may make any number of, the quota says how many: objects
// take room in the cluster's store.
func TestQuotaCountsWhatMayBeMade(t *testing.T) {
	var quota corev1.ResourceQuota
	var role rbacv1.Role
	ofOwn(t, "ResourceQuota", &quota)
	ofOwn(t, "Role", &role)
	counted := []string{"replicasets.apps", "controllerrevisions.apps"} // These are made of Deployments and StatefulSets.
	for _, rule := range role.Rules {
		if !slices.Contains(rule.Verbs, "create") || len(rule.ResourceNames) > 0 {
			continue
		}
		for _, resource := range rule.Resources {
			if group := rule.APIGroups[0]; group != "" {
				resource += "." + group
			}
			if !strings.Contains(resource, "/") && resource != "persistentvolumeclaims" { // Volumes have a word of their own.
				counted = append(counted, resource)
			}
		}
	}
	if len(counted) < 5 {
		t.Fatalf("the role lets an attendee make only %q", counted)
	}
	for _, resource := range counted {
		if hard := quota.Spec.Hard[corev1.ResourceName("count/"+resource)]; hard.IsZero() {
			t.Errorf("%s are not counted", resource)
		}
	}
}

// Each of the overlays fits twice, since what one leaves goes while the next comes.
func TestTaughtOverlaysFitTheirCounts(t *testing.T) {
	var quota corev1.ResourceQuota
	ofOwn(t, "ResourceQuota", &quota)
	for _, dir := range Taught {
		found := map[corev1.ResourceName]int64{}
		for _, o := range rendered(t, filepath.Join("../../..", dir)) {
			plural, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
			found[corev1.ResourceName("count/"+plural.GroupResource().String())]++
		}
		if found["count/deployments.apps"] == 0 {
			t.Fatalf("%s has no Deployments", dir)
		}
		for name, n := range found {
			if hard, bounded := quota.Spec.Hard[name]; bounded && hard.Value() < 2*n {
				t.Errorf("%s has %d of %s, and the quota is %s", dir, n, name, hard.String())
			}
		}
	}
}

// Into a namespace come the pods of the namespace itself, and the traffic manager.
func TestNetworkIsClosedToOthers(t *testing.T) {
	var policy networkingv1.NetworkPolicy
	ofOwn(t, "NetworkPolicy", &policy)
	want := networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		Ingress: []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{
			{PodSelector: &metav1.LabelSelector{}},
			{NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: "ambassador"}}},
		}}},
	}
	if !equality.Semantic.DeepEqual(policy.Spec, want) {
		t.Errorf("%+v, want %+v", policy.Spec, want)
	}
	var role rbacv1.Role
	ofOwn(t, "Role", &role)
	for _, rule := range role.Rules {
		if slices.Contains(rule.APIGroups, networkingv1.GroupName) {
			t.Errorf("an attendee may %q %q", rule.Verbs, rule.Resources)
		}
	}
}

// ofOwn reads into typed what own.yaml has of a kind.
func ofOwn(t *testing.T, kind string, typed any) {
	t.Helper()
	if err := read("own.yaml", kind, typed); err != nil {
		t.Fatal(err)
	}
}

// rendered returns the objects of a kustomization.
func rendered(t *testing.T, dir string) []*unstructured.Unstructured {
	t.Helper()
	manifests, err := render.Kustomization(dir, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := decode(bytes.NewReader(manifests))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}
