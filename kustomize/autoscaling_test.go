package kustomize_test

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// TestStagingScalesWhatHasNoState expects an autoscaler for each service without a
// database, and for no other: more replicas would be more connections to it.
func TestStagingScalesWhatHasNoState(t *testing.T) {
	objects := decode(t, build(t, tree(t), "overlays/staging"))
	scaled := names[*autoscalingv2.HorizontalPodAutoscaler](objects)
	for _, deployment := range only[*appsv1.Deployment](objects) {
		env := deployment.Spec.Template.Spec.Containers[0].Env
		hasState := slices.ContainsFunc(env, func(v corev1.EnvVar) bool { return v.Name == "DATABASE_URL" })
		if scaled[deployment.Name] == hasState {
			t.Errorf("%s: autoscaler %t, database %t", deployment.Name, scaled[deployment.Name], hasState)
		}
	}
}

// TestReplicasAreSaidOnce: an apply of a Deployment with replicas would undo what its
// autoscaler has set, and one that has neither would have a single pod.
func TestReplicasAreSaidOnce(t *testing.T) {
	eachOverlay(t, func(t *testing.T, objects []object) {
		scaled := map[string]bool{}
		for _, autoscaler := range only[*autoscalingv2.HorizontalPodAutoscaler](objects) {
			target := autoscaler.Spec.ScaleTargetRef
			if target.APIVersion != "apps/v1" || target.Kind != "Deployment" || target.Name != autoscaler.Name {
				t.Errorf("autoscaler %s scales %v", autoscaler.Name, target)
			}
			scaled[target.Name] = true
		}
		for _, w := range workloads(t, objects) {
			if scaled[w.name] == (w.replicas != nil) {
				t.Errorf("%s: autoscaler %t, replicas in the manifest %t", w.name, scaled[w.name], w.replicas != nil)
			}
			delete(scaled, w.name)
		}
		for name := range scaled {
			t.Errorf("autoscaler %s scales nothing", name)
		}
	})
}

// TestAutoscalersOfStaging adds replicas at once, and takes one a minute after five
// minutes that have needed fewer.
func TestAutoscalersOfStaging(t *testing.T) {
	want := autoscalingv2.HorizontalPodAutoscalerSpec{
		MinReplicas: new(int32(2)),
		MaxReplicas: 6,
		Metrics: []autoscalingv2.MetricSpec{{
			Type: autoscalingv2.ResourceMetricSourceType,
			Resource: &autoscalingv2.ResourceMetricSource{
				Name:   corev1.ResourceCPU,
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(70))},
			},
		}},
		Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleDown: &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: new(int32(300)),
			Policies:                   []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: 60}},
		}},
	}
	for _, autoscaler := range only[*autoscalingv2.HorizontalPodAutoscaler](decode(t, build(t, tree(t), "overlays/staging"))) {
		want.ScaleTargetRef = autoscaler.Spec.ScaleTargetRef
		if !equality.Semantic.DeepEqual(autoscaler.Spec, want) {
			t.Errorf("got\n%s\nwant the spec\n%+v", text(t, autoscaler), want)
		}
	}
}
