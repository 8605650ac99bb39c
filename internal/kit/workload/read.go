package workload

import (
	"errors"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// Read makes a plan of rendered manifests, in which ko:// references still
// stand. Only programs built from Go are run. Given returns variables of a
// workload that go before those of the manifests, but for PORT; it may be nil.
func Read(manifests []byte, given func(*Workload) map[string]string) (*Plan, error) {
	return ReadWith(manifests, given, Images{})
}

// ReadWith is Read, but runs containers of other images, too, if they can be.
func ReadWith(manifests []byte, given func(*Workload) map[string]string, images Images) (*Plan, error) {
	r := &reader{images: images, plan: &Plan{given: given, refersTo: map[*Workload][]*Service{}, objects: objects{
		configMaps: map[manifest.Key]map[string][]byte{},
		secrets:    map[manifest.Key]map[string][]byte{},
		namespaces: map[string]bool{},
		exposed:    map[manifest.Key]bool{},
	}}, ignored: map[string]int{}, bound: map[manifest.Key]bool{}}
	if err := errors.Join(manifest.Each(manifests, r.read), r.err); err != nil {
		return nil, fmt.Errorf("reading the manifests: %w", err)
	}
	r.noteIgnored()
	r.decide()
	r.noteUnled()
	for _, s := range r.plan.objects.services {
		s.exposed = r.plan.objects.exposed[manifest.Key{Namespace: s.Namespace, Name: s.Name}]
	}
	r.markClusterUsers()
	if err := r.plan.settle(); err != nil {
		return nil, fmt.Errorf("reading the manifests: %w", err)
	}
	for _, w := range r.plan.Workloads {
		if err := r.plan.settleWorkload(w); err != nil {
			return nil, fmt.Errorf("reading the manifests: %w", err)
		}
	}
	return r.plan, nil
}

// settleWorkload derives what depends on the rest of the plan.
func (p *Plan) settleWorkload(w *Workload) (err error) {
	if p.refersTo[w], err = p.references(w); err != nil {
		return err
	}
	w.fingerprint, err = p.fingerprint(w)
	return err
}

func (r *reader) read(o manifest.Object) error {
	r.plan.objects.namespaces[o.Metadata.Namespace] = true
	switch o.GroupKind().String() {
	case "Deployment.apps":
		return into(r, o, func(d *appsv1.Deployment) {
			w := r.workload(o, d.Spec.Template, count(d.Spec.Replicas), nil)
			w.Exclusive = d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
		})
	case "StatefulSet.apps":
		return into(r, o, func(s *appsv1.StatefulSet) {
			w := r.workload(o, s.Spec.Template, count(s.Spec.Replicas), s.Spec.VolumeClaimTemplates)
			w.Exclusive = true
		})
	case "ReplicaSet.apps":
		return into(r, o, func(s *appsv1.ReplicaSet) { r.workload(o, s.Spec.Template, count(s.Spec.Replicas), nil) })
	case "DaemonSet.apps":
		return into(r, o, func(d *appsv1.DaemonSet) { r.workload(o, d.Spec.Template, 1, nil) })
	case "Pod":
		return into(r, o, func(p *corev1.Pod) {
			r.workload(o, corev1.PodTemplateSpec{ObjectMeta: p.ObjectMeta, Spec: p.Spec}, 1, nil)
		})
	case "Job.batch":
		return into(r, o, func(j *batchv1.Job) { r.job(o, j) })
	case "ConfigMap":
		return into(r, o, func(c *corev1.ConfigMap) { r.plan.objects.configMaps[o.Key()] = merged(c.Data, c.BinaryData) })
	case "Secret":
		return into(r, o, func(s *corev1.Secret) { r.plan.objects.secrets[o.Key()] = merged(s.StringData, s.Data) })
	case "Service":
		return into(r, o, func(s *corev1.Service) { r.service(o, s) })
	case "RoleBinding.rbac.authorization.k8s.io":
		return into(r, o, func(b *rbacv1.RoleBinding) { r.bind(o, b.Subjects) })
	case "ClusterRoleBinding.rbac.authorization.k8s.io":
		return into(r, o, func(b *rbacv1.ClusterRoleBinding) { r.bind(o, b.Subjects) })
	case "Service.serving.knative.dev":
		return into(r, o, func(s *knativeService) { r.knative(o, s) })
	case "Ingress.networking.k8s.io":
		return into(r, o, func(i *networkingv1.Ingress) { r.ingress(o, i) })
	}
	r.ignore(o)
	return nil
}

// merged holds texts and data; where both have a key, texts win, as they do
// in a Secret.
func merged(texts map[string]string, data map[string][]byte) map[string][]byte {
	all := map[string][]byte{}
	maps.Copy(all, data)
	for name, text := range texts {
		all[name] = []byte(text)
	}
	return all
}

func (r *reader) service(o manifest.Object, s *corev1.Service) {
	service := &Service{
		Namespace: o.Metadata.Namespace, Name: s.Name, Type: s.Spec.Type,
		selector: s.Spec.Selector, headless: s.Spec.ClusterIP == corev1.ClusterIPNone, external: s.Spec.ExternalName,
	}
	for _, port := range s.Spec.Ports {
		if port.Protocol != "" && port.Protocol != corev1.ProtocolTCP {
			r.note(nil, "port %d of %s is left out: nothing forwards %s here", port.Port, service, port.Protocol)
			continue
		}
		service.Ports = append(service.Ports, newServicePort(port))
	}
	r.plan.objects.services = append(r.plan.objects.services, service)
}
