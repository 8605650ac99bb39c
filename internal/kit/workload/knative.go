package workload

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// knativeService is serving.knative.dev/v1 Service
// (https://knative.dev/docs/serving/reference/serving-api/): a pod template of
// Kubernetes, and fields that mean nothing here.
type knativeService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Template struct {
			metav1.ObjectMeta `json:"metadata"`
			Spec              struct {
				corev1.PodSpec              `json:",inline"`
				ContainerConcurrency        *int64 `json:"containerConcurrency"`
				TimeoutSeconds              *int64 `json:"timeoutSeconds"`
				ResponseStartTimeoutSeconds *int64 `json:"responseStartTimeoutSeconds"`
				IdleTimeoutSeconds          *int64 `json:"idleTimeoutSeconds"`
			} `json:"spec"`
		} `json:"template"`
		Traffic []any `json:"traffic"`
	} `json:"spec"`
	Status any `json:"status"`
}

// knativePort is where a container of Knative listens that declares no port.
const knativePort = 8080

// knativeLabel is what Knative puts on the pods of a Service.
const knativeLabel = "serving.knative.dev/service"

// knative takes in a Knative Service as what it is: a container with one port, and
// a name at port 80 that leads there. Knative tells the container its port by PORT.
func (r *reader) knative(o manifest.Object, s *knativeService) {
	template := corev1.PodTemplateSpec{ObjectMeta: s.Spec.Template.ObjectMeta, Spec: s.Spec.Template.Spec.PodSpec}
	template.Labels = maps.Clone(template.Labels)
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	template.Labels[knativeLabel] = s.Name
	port := corev1.ServicePort{Name: "http", Port: 80}
	containers := slices.Clone(template.Spec.Containers)
	for i := range containers {
		c := &containers[i]
		c.Name = cmp.Or(c.Name, "user-container") // As Knative calls it.
		if len(c.Ports) == 0 && len(containers) == 1 {
			c.Ports = []corev1.ContainerPort{{ContainerPort: knativePort}}
		}
		if len(c.Ports) == 1 {
			// The names h2c and http1 say which protocol is spoken there.
			port.Name, port.TargetPort = cmp.Or(c.Ports[0].Name, port.Name), intstr.FromInt32(c.Ports[0].ContainerPort)
			c.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: c.Ports[0].ContainerPort}}
		}
	}
	template.Spec.Containers = containers
	r.workload(o, template, 1, nil)
	r.plan.objects.exposed[o.Key()] = true
	r.plan.objects.services = append(r.plan.objects.services, &Service{
		Namespace: o.Metadata.Namespace, Name: o.Metadata.Name,
		selector: map[string]string{knativeLabel: s.Name}, Ports: []ServicePort{newServicePort(port)},
	})
}
