package workload

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Front returns the Service whose workload faces users, nil if none speaks HTTP.
// That is one that says so by its type; or else one that no other workload refers
// to, above all if its own refers to others; or else the first.
func (p *Plan) Front() *Service {
	inner := map[*Service]bool{}
	outgoing := map[*Workload]bool{}
	for _, w := range p.Workloads {
		for _, s := range w.refersTo {
			if !slices.Contains(s.Backends, w) {
				inner[s], outgoing[w] = true, true
			}
		}
	}
	for _, faces := range []func(*Service) bool{
		func(s *Service) bool {
			return s.Type == corev1.ServiceTypeLoadBalancer || s.Type == corev1.ServiceTypeNodePort
		},
		func(s *Service) bool {
			return !inner[s] && slices.ContainsFunc(s.Backends, func(w *Workload) bool { return outgoing[w] })
		},
		func(s *Service) bool { return !inner[s] },
		func(*Service) bool { return true },
	} {
		if i := slices.IndexFunc(p.Services, func(s *Service) bool { return s.speaksHTTP() && faces(s) }); i >= 0 {
			return p.Services[i]
		}
	}
	return nil
}

func (s *Service) speaksHTTP() bool {
	return slices.ContainsFunc(s.Ports, func(p ServicePort) bool { return p.HTTP })
}
