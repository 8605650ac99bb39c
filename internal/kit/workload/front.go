package workload

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Front returns the Service whose workload faces users, nil if none speaks HTTP.
// The first of these rules decides: its type says so; an Ingress leads to it and
// no other workload refers to it; an Ingress leads to it; its workload refers to
// others and no other refers to it; no other refers to it; it is the first. A
// Service that is only presumed to speak HTTP, or that is in no manifest, is
// taken if there is no other.
func (p *Plan) Front() *Service {
	inner := map[*Service]bool{}
	outgoing := map[*Workload]bool{}
	for _, w := range p.Workloads {
		for _, s := range p.refersTo[w] {
			if !slices.Contains(s.Backends, w) {
				inner[s], outgoing[w] = true, true
			}
		}
	}
	rules := []func(*Service) bool{
		func(s *Service) bool {
			return s.Type == corev1.ServiceTypeLoadBalancer || s.Type == corev1.ServiceTypeNodePort
		},
		func(s *Service) bool { return s.exposed && !inner[s] },
		func(s *Service) bool { return s.exposed },
		func(s *Service) bool {
			return !inner[s] && slices.ContainsFunc(s.Backends, func(w *Workload) bool { return outgoing[w] })
		},
		func(s *Service) bool { return !inner[s] },
		func(*Service) bool { return true },
	}
	for _, counts := range []func(*Service) bool{(*Service).speaksHTTP, (*Service).maySpeakHTTP, func(s *Service) bool { return s.implicit }} {
		for _, faces := range rules {
			if i := slices.IndexFunc(p.Services, func(s *Service) bool { return counts(s) && faces(s) }); i >= 0 {
				return p.Services[i]
			}
		}
	}
	return nil
}

func (s *Service) speaksHTTP() bool {
	return !s.implicit && slices.ContainsFunc(s.Ports, func(p ServicePort) bool { return p.HTTP && !p.Presumed && !p.Aside })
}

func (s *Service) maySpeakHTTP() bool {
	return !s.implicit && slices.ContainsFunc(s.Ports, func(p ServicePort) bool { return p.HTTP && !p.Aside })
}

// implicitServices returns a Service for each workload that listens and that no
// Service leads to, so that it has a URL too.
func (p *Plan) implicitServices() []*Service {
	var services []*Service
	for _, w := range p.Workloads {
		led := slices.ContainsFunc(p.Services, func(s *Service) bool { return slices.Contains(s.Backends, w) })
		// A name that the manifests give to something else is not taken.
		isTaken := slices.ContainsFunc(p.objects.services, func(s *Service) bool { return s.Namespace == w.Namespace && s.Name == w.Name })
		number, listens := w.mainPort()
		if led || isTaken || w.Kind == "Job" || !listens {
			continue
		}
		port := newServicePort(corev1.ServicePort{Port: number})
		port.settle([]*Workload{w})
		if port.HTTP {
			services = append(services, &Service{
				Namespace: w.Namespace, Name: w.Name, Ports: []ServicePort{port}, Backends: []*Workload{w}, implicit: true,
			})
		}
	}
	return services
}

// mainPort returns the port that PORT is about in the first main container that
// listens; it reports false if none does.
func (w *Workload) mainPort() (int32, bool) {
	for _, ports := range w.listening[len(w.Template.Spec.InitContainers):] {
		if len(ports.All) > 0 {
			return ports.PORT, !ports.Presumed
		}
	}
	return 0, false
}
