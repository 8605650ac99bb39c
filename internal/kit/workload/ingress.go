package workload

import (
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// Ingress is what an Ingress of the manifests leads to Services of its namespace.
type Ingress struct {
	Namespace, Name string
	Rules           []IngressRule
	// Default gets what no rule is about, nil if there is none.
	Default *IngressBackend
}

// IngressRule leads one path of a host to a Service.
type IngressRule struct {
	// Host is as the manifest has it: a name, *.NAME for all names with one label
	// more, or "" for any.
	Host string
	// Path begins the paths that the rule is about, element by element, unless
	// Exact tells that it is one path only. "/" begins all.
	Path    string
	Exact   bool
	Backend IngressBackend
}

// IngressBackend is a port of a Service, by number or by name.
type IngressBackend struct {
	Service  string
	Port     int32
	PortName string
}

// Serves reports whether b is a port of s, which is of the Ingress' namespace.
func (b IngressBackend) Serves(s *Service, p ServicePort) bool {
	return b.Service == s.Name && (b.Port == p.Port || b.PortName != "" && b.PortName == p.Name)
}

// ingress takes in the rules. A backend that is a resource of the cluster leads
// nowhere here.
func (r *reader) ingress(o manifest.Object, i *networkingv1.Ingress) {
	ingress := Ingress{Namespace: o.Metadata.Namespace, Name: o.Metadata.Name, Default: r.backend(o, i.Spec.DefaultBackend)}
	for _, rule := range i.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			if backend := r.backend(o, &path.Backend); backend != nil {
				exact := path.PathType != nil && *path.PathType == networkingv1.PathTypeExact
				ingress.Rules = append(ingress.Rules, IngressRule{Host: rule.Host, Path: path.Path, Exact: exact, Backend: *backend})
			}
		}
	}
	if len(i.Spec.TLS)+len(i.Annotations) > 0 {
		r.note(nil, "%s: its hosts and paths lead here, without TLS and without what its annotations ask of a controller", o)
	}
	r.plan.Ingresses = append(r.plan.Ingresses, ingress)
}

// backend returns nil if there is no Service to lead to.
func (r *reader) backend(o manifest.Object, b *networkingv1.IngressBackend) *IngressBackend {
	if b == nil {
		return nil
	}
	if b.Service == nil {
		r.note(nil, "%s: a backend that is no Service is left out: there is none here", o)
		return nil
	}
	r.plan.objects.exposed[manifest.Key{Namespace: o.Metadata.Namespace, Name: b.Service.Name}] = true
	return &IngressBackend{Service: b.Service.Name, Port: b.Service.Port.Number, PortName: b.Service.Port.Name}
}
