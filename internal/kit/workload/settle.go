package workload

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/listen"
	"github.com/koshop/koshop/internal/kit/rewrite"
)

// settle derives Services and Notes from Workloads, and which ports each
// listens on.
func (p *Plan) settle() error {
	p.Services = nil
	for _, s := range p.objects.services {
		if s.Backends = s.selected(p.Workloads); len(s.Backends) > 0 {
			p.Services = append(p.Services, s)
		}
	}
	for _, w := range p.Workloads {
		containers, err := p.containers(w)
		if err != nil {
			return err
		}
		w.listening = listen.Decide(containers, p.targets(w))
	}
	for _, s := range p.Services {
		for i := range s.Ports {
			s.Ports[i].settle(s.Backends)
		}
	}
	p.Services = append(p.Services, p.implicitServices()...)
	p.limitReplicas()
	p.settleNotes()
	return nil
}

// settleNotes derives Notes: those that concern what is run.
func (p *Plan) settleNotes() {
	p.Notes = nil
	for _, n := range p.notes {
		if (n.about == nil || slices.Contains(p.Workloads, n.about)) && !p.isElsewhere(n.services) {
			p.Notes = append(p.Notes, n.text)
		}
	}
	for _, s := range p.Services {
		for _, port := range s.Ports {
			for _, w := range s.Backends {
				if _, err := port.TargetPort(w); err != nil {
					p.Notes = append(p.Notes, fmt.Sprintf("%s leads nowhere: %v", s, err))
				}
			}
		}
	}
}

// containers returns what the manifests tell the containers of w. What they
// only refer to and do not have is left out.
func (p *Plan) containers(w *Workload) ([]listen.Container, error) {
	names := Names{Plan: p, Namespace: w.Namespace, Address: clusterAddress}
	source := p.Source(w, 0)
	source.Links, source.Lenient = names.Links(w), true
	var all []listen.Container
	for i, c := range w.Containers() {
		variables, err := source.Variables(c)
		if err != nil {
			return nil, err
		}
		all = append(all, listen.Container{
			Spec: c, Role: w.role(i), Variables: variables, Led: !isBuilt(c),
			Arguments: environment.ExpandAll(slices.Concat(c.Command, c.Args), source.Known(variables)),
		})
	}
	return all, nil
}

// clusterAddress returns where a port of a Service is reached in a cluster.
func clusterAddress(s *Service, port int32) string {
	return net.JoinHostPort(s.Name+"."+s.Namespace, strconv.Itoa(int(port)))
}

// Source returns where the variables of a replica of w come from, without links
// to Services.
func (p *Plan) Source(w *Workload, replica int) environment.Source {
	source := environment.Source{
		Workload: w.String(), Pod: w.PodMeta(replica), Spec: w.Template.Spec,
		ConfigMap: func(name string) map[string][]byte { return p.ConfigMap(w.Namespace, name) },
		Secret:    func(name string) map[string][]byte { return p.Secret(w.Namespace, name) },
	}
	if p.given != nil {
		source.Given = p.given(w)
	}
	return source
}

// references returns the Services that environment or arguments of w name, in
// the order of the manifests.
func (p *Plan) references(w *Workload) ([]*Service, error) {
	containers, err := p.containers(w)
	if err != nil {
		return nil, err
	}
	names := Names{Plan: p, Namespace: w.Namespace}
	w.mentions = map[string]bool{}
	isService := func(host string) bool {
		w.mention(host)
		return names.lookup(host) != nil
	}
	named := map[*Service]bool{}
	for _, c := range containers {
		for _, settings := range [][]rewrite.Setting{rewrite.Variables(c.Variables), rewrite.Arguments(c.Arguments)} {
			for _, a := range rewrite.Find(settings, isService) {
				s := names.lookup(a.Host)
				if s == nil {
					continue // a port of its own
				}
				if _, found := s.reached(a.Scheme, a.Port); found {
					named[s] = true
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(p.Services), func(s *Service) bool { return !named[s] }), nil
}

// targets returns the ports of w's pods that Services lead to, as far as they
// give numbers.
func (p *Plan) targets(w *Workload) []int32 {
	var ports []int32
	for _, s := range p.Services {
		if !slices.Contains(s.Backends, w) {
			continue
		}
		for _, port := range s.Ports {
			if target, err := port.TargetPort(w); err == nil {
				ports = append(ports, target)
			}
		}
	}
	return ports
}
