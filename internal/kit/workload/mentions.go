package workload

import (
	"slices"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// mention notes for Mentions which Services a host may be the name of.
func (w *Workload) mention(host string) {
	for _, name := range readings(host, w.Namespace) {
		w.mentions[name.name], w.mentions[name.name+"."+name.namespace] = true, true
	}
}

// Mentions reports whether environment or arguments of w name a Service, given as
// NAME or NAME.NAMESPACE, in the manifests or not.
func (w *Workload) Mentions(service string) bool { return w.mentions[service] }

// IsNamed reports whether a person means w by a name such as payments-svc,
// deployment/payments-svc or deployment.apps/payments-svc.
func (w *Workload) IsNamed(name string) bool { return w.isNamed(name) }

// NotRun returns the Services of the manifests that w mentions, and behind which
// nothing is run here.
func (p *Plan) NotRun(w *Workload) []*Service {
	return slices.DeleteFunc(slices.Clone(p.objects.services), func(s *Service) bool {
		return len(s.Backends) > 0 || !w.Mentions(s.Name+"."+s.Namespace)
	})
}

// Elsewhere takes the names of Services that run elsewhere, as --service has
// them: there is no need for a note that they are not run here.
func (p *Plan) Elsewhere(services map[string]string) {
	p.elsewhere = services
	p.settleNotes()
}

// isElsewhere reports whether one of the Services that a note is about runs
// elsewhere.
func (p *Plan) isElsewhere(services []manifest.Key) bool {
	return slices.ContainsFunc(services, func(k manifest.Key) bool {
		return p.elsewhere[k.Name] != "" || p.elsewhere[k.Name+"."+k.Namespace] != ""
	})
}
