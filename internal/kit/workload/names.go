package workload

import (
	"regexp"
	"strings"

	"github.com/koshop/koshop/internal/kit/rewrite"
)

// Names resolves the DNS names of Services for a pod in a namespace.
type Names struct {
	Plan      *Plan
	Namespace string
	// Redirect leads Services, of the plan or not, elsewhere: from NAME or
	// NAME.NAMESPACE to HOST:PORT.
	Redirect map[string]string
	// Address returns where a port of a Service of the plan is reached.
	Address func(s *Service, port int32) string
}

// Find returns what host leads to, nil if it is not the name of a Service.
func (n Names) Find(host string) rewrite.Target {
	for _, name := range readings(host, n.Namespace) {
		if to, found := n.redirected(name); found {
			return func(string, int32) (string, bool) { return to, true }
		}
		if s := n.service(name); s != nil {
			return func(scheme string, port int32) (string, bool) {
				number, found := s.reached(scheme, port)
				if !found {
					return "", false
				}
				return n.Address(s, number), true
			}
		}
	}
	return nil
}

// lookup returns the Service of the plan that host names, nil if there is none.
func (n Names) lookup(host string) *Service {
	for _, name := range readings(host, n.Namespace) {
		if s := n.service(name); s != nil {
			return s
		}
	}
	return nil
}

// serviceName is what a host name may mean.
type serviceName struct {
	namespace, name string
	ofPod           bool // the name is that of one pod behind the Service
}

// ordinal ends the names of a StatefulSet's pods.
var ordinal = regexp.MustCompile(`-\d+$`)

// readings returns the Services that host may mean, the likeliest first:
// NAME, NAME.NAMESPACE and POD.NAME.NAMESPACE, with .svc or .svc.cluster.local
// behind a namespace, and POD.NAME.
func readings(host, namespace string) []serviceName {
	qualified := strings.TrimSuffix(host, ".")
	short := strings.TrimSuffix(strings.TrimSuffix(qualified, ".cluster.local"), ".svc")
	labels := strings.Split(short, ".")
	ofPod := ordinal.MatchString(labels[0])
	switch {
	case len(labels) == 1 && short == host:
		return []serviceName{{namespace, labels[0], false}}
	case len(labels) == 2 && ofPod && short == qualified:
		return []serviceName{{labels[1], labels[0], false}, {namespace, labels[1], true}}
	case len(labels) == 2:
		return []serviceName{{labels[1], labels[0], false}}
	case len(labels) == 3 && ofPod:
		return []serviceName{{labels[2], labels[1], true}}
	}
	return nil
}

// redirected returns where a Service was led by the user. A redirection
// without a namespace holds for all namespaces of the manifests.
func (n Names) redirected(name serviceName) (string, bool) {
	if to, found := n.Redirect[name.name+"."+name.namespace]; found {
		return to, true
	}
	to, found := n.Redirect[name.name]
	return to, found && (name.namespace == n.Namespace || n.Plan.objects.namespaces[name.namespace])
}

func (n Names) service(name serviceName) *Service {
	for _, s := range n.Plan.Services {
		if s.Name == name.name && s.Namespace == name.namespace && (!name.ofPod || s.headless) {
			return s
		}
	}
	return nil
}

// reached returns the port of s that a scheme and port mean: without a port,
// that of the scheme or else the only one. The name of a headless Service is
// that of its pods, so their ports are meant too.
func (s *Service) reached(scheme string, port int32) (int32, bool) {
	if port == 0 {
		return s.reachedWithoutPort(scheme)
	}
	for _, p := range s.Ports {
		if p.Port == port {
			return port, true
		}
	}
	for _, p := range s.Ports {
		if s.headless && p.leadsTo(port, s.Backends) {
			return p.Port, true
		}
	}
	return 0, false
}

func (s *Service) reachedWithoutPort(scheme string) (int32, bool) {
	if usual, known := rewrite.DefaultPort(scheme); known {
		if number, found := s.reached(scheme, usual); found {
			return number, true
		}
	}
	if len(s.Ports) != 1 {
		return 0, false
	}
	return s.Ports[0].Port, true
}

func (p ServicePort) leadsTo(port int32, backends []*Workload) bool {
	for _, w := range backends {
		if target, err := p.TargetPort(w); err == nil && target == port {
			return true
		}
	}
	return false
}
