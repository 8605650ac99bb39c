package kube

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// A connection leads where the Service does: through a traffic agent, if it has
// taken over the port's name, and never to a pod that is not ready.
func TestEndpoint(t *testing.T) {
	selector := map[string]string{"app": "web"}
	pod := func(name string, ready corev1.ConditionStatus, spec corev1.PodSpec) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "api", Labels: selector}, Spec: spec,
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
		}
	}
	container := func(port string, number int32) corev1.Container {
		return corev1.Container{Ports: []corev1.ContainerPort{{Name: port, ContainerPort: number}}}
	}
	service := func(target intstr.IntOrString) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "api"},
			Spec: corev1.ServiceSpec{Selector: selector, Ports: []corev1.ServicePort{{Port: 80, TargetPort: target}}}}
	}
	plain := corev1.PodSpec{Containers: []corev1.Container{container("http", 8080)}}
	intercepted := corev1.PodSpec{Containers: []corev1.Container{container("tm-http", 8080), container("http", 9900)}}
	sidecar := corev1.PodSpec{Containers: []corev1.Container{container("tm-http", 8080)}, InitContainers: []corev1.Container{container("http", 9901)}}
	for name, test := range map[string]struct {
		target intstr.IntOrString
		spec   corev1.PodSpec
		want   int32
	}{
		"by name":             {intstr.FromString("http"), plain, 8080},
		"by number":           {intstr.FromInt32(8081), plain, 8081},
		"through an agent":    {intstr.FromString("http"), intercepted, 9900},
		"through a sidecar":   {intstr.FromString("http"), sidecar, 9901},
		"a name that is none": {intstr.FromString("grpc"), plain, 0},
	} {
		c := &Cluster{WithWatch: fake.NewFakeClient(service(test.target), pod("starting", corev1.ConditionFalse, plain), pod("ready", corev1.ConditionTrue, test.spec))}
		got, port, err := c.endpoint(t.Context(), "api", "web", 80)
		switch {
		case test.want == 0 && (err == nil || !strings.Contains(err.Error(), "no ready pod is behind port 80 of service web in namespace api")):
			t.Errorf("%s: error %v", name, err)
		case test.want != 0 && (err != nil || got != "ready" || port != test.want):
			t.Errorf("%s: port %d of pod %s, error %v, want port %d of pod ready", name, port, got, err, test.want)
		}
	}
}
