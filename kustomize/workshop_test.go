package kustomize_test

import (
	"path"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"
)

const (
	payments     = "payments-svc"
	starterImage = koScheme + "github.com/koshop/koshop/cmd/payments-starter"
)

// TestWorkshopIsStagingWithTheStarter derives the one overlay from the other: a
// class meets the same shop, but for payments-svc.
func TestWorkshopIsStagingWithTheStarter(t *testing.T) {
	want := withStarter(decode(t, build(t, tree(t), "overlays/staging")))
	got := decode(t, build(t, tree(t), "overlays/workshop"))
	if len(got) != len(want) {
		t.Fatalf("%d objects, want %d", len(got), len(want))
	}
	for i := range want {
		if !equality.Semantic.DeepEqual(got[i], want[i]) {
			t.Errorf("got\n%s\nwant\n%s", text(t, got[i]), text(t, want[i]))
		}
	}
}

// withStarter puts the starter in the place of payments-svc. It keeps its state
// in memory: it has one replica, no database, and no budget, for a drained node
// has no other replica to wait for. Network policies and autoscalers are not for an attendee to make.
func withStarter(objects []object) []object {
	for _, deployment := range only[*appsv1.Deployment](objects) {
		if deployment.Spec.Replicas == nil {
			deployment.Spec.Replicas = new(int32(2))
		}
		if deployment.Name == payments {
			*deployment.Spec.Replicas = 1
			container := &deployment.Spec.Template.Spec.Containers[0]
			container.Image = starterImage
			container.Env = slices.DeleteFunc(container.Env, func(v corev1.EnvVar) bool {
				return v.Name == "DATABASE_URL" || v.Name == "PGPASSWORD"
			})
		}
	}
	return slices.DeleteFunc(objects, func(obj object) bool {
		_, isBudget := obj.(*policyv1.PodDisruptionBudget)
		_, isPolicy := obj.(*networkingv1.NetworkPolicy)
		_, isAutoscaler := obj.(*autoscalingv2.HorizontalPodAutoscaler)
		return isPolicy || isAutoscaler || isBudget && obj.GetName() == payments
	})
}

func TestOnlyTheWorkshopHasTheStarter(t *testing.T) {
	for _, dir := range kustomizations(t, "overlays/*") {
		for _, w := range workloads(t, decode(t, build(t, tree(t), dir))) {
			if w.name != payments {
				continue
			}
			want := koScheme + "github.com/koshop/koshop/cmd/payments-svc"
			if path.Base(dir) == "workshop" {
				want = starterImage
			}
			if image := w.pod.Spec.Containers[0].Image; image != want {
				t.Errorf("%s: payments-svc is %s, want %s", dir, image, want)
			}
		}
	}
}

func text(t *testing.T, obj object) []byte {
	t.Helper()
	data, err := yaml.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
