package workload

import (
	"fmt"
	"slices"
	"strings"
)

// Only keeps the named workloads, such as payments-svc, deployment/payments-svc
// or deployment.apps/payments-svc, and the Services that lead to them.
func (p *Plan) Only(names []string) error {
	keep := map[*Workload]bool{}
	for _, name := range names {
		found := false
		for _, w := range p.Workloads {
			if w.isNamed(name) {
				keep[w], found = true, true
			}
		}
		if !found {
			return fmt.Errorf("no workload %s to run: there are %s", name, p.list())
		}
	}
	p.Workloads = slices.DeleteFunc(p.Workloads, func(w *Workload) bool { return !keep[w] })
	return p.settle()
}

func (p *Plan) list() string {
	var names []string
	for _, w := range p.Workloads {
		names = append(names, w.String())
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// isNamed reports whether a person means w by name.
func (w *Workload) isNamed(name string) bool {
	kind, bare, found := strings.Cut(name, "/")
	if !found {
		return name == w.Name
	}
	return bare == w.Name && (strings.EqualFold(kind, w.Kind) || strings.EqualFold(name, w.String()))
}
