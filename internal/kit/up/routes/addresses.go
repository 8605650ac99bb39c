package routes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/route"
	"github.com/koshop/koshop/internal/kit/workload"
)

// addressesOf returns the addresses by which people reach a workload, the one
// that they use first at the beginning: a host of an Ingress, else that of the
// Service. Each port of the workload has one, and those of Ingresses are added.
func (r *Routes) addressesOf(w *workload.Workload, rules route.Routes) []string {
	addresses := r.ingressAddresses(w, rules)
	taker := takesAll(rules)
	isFront := taker == nil || r.leads(taker, w)
	known := map[int32]bool{}
	for _, s := range r.plan.Services {
		if !backs(w.ID(), s) {
			continue
		}
		first := web(s)
		ports := slices.Clone(s.Ports)
		slices.SortStableFunc(ports, func(a, b workload.ServicePort) int {
			return cmp.Compare(distance(a, first), distance(b, first))
		})
		for _, port := range ports {
			target, err := port.TargetPort(w)
			if err != nil || known[target] {
				continue // Another Service leads there, too.
			}
			known[target] = true
			address := r.addressOf(s, port, distance(port, first) == 0, isFront)
			if !slices.Contains(addresses, address) {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}

// distance puts the port that people come for before the others.
func distance(port workload.ServicePort, first *workload.ServicePort) int {
	if first != nil && port.Port == first.Port {
		return 0
	}
	return 1
}

// addressOf returns where people reach a port of a Service. One that does not
// speak HTTP/1 is reached without the front door, by an address that every client
// takes; its name stands behind.
func (r *Routes) addressOf(s *workload.Service, port workload.ServicePort, first, isFront bool) string {
	scheme := "http"
	if port.GRPC {
		scheme = "grpc"
	}
	switch {
	case first && s == r.plan.Front() && isFront:
		return fmt.Sprintf("%s://localhost:%d", scheme, r.port)
	case port.GRPC:
		return fmt.Sprintf("grpc://%s (%s)", r.door(s, port.Port).listener.Addr(), label(port))
	case !port.HTTP:
		return fmt.Sprintf("%s (%s)", r.door(s, port.Port).listener.Addr(), label(port))
	case first:
		return fmt.Sprintf("http://%s.%s.localhost:%d", s.Name, s.Namespace, r.port)
	}
	return fmt.Sprintf("http://%s.localhost:%d", hostOf(s, port), r.port)
}

// takesAll returns where an Ingress leads all requests to localhost that name no
// Service, nil if none does.
func takesAll(rules route.Routes) *route.Pool {
	for _, rule := range rules.Rules {
		if rule.Host == "" && !rule.Exact && (rule.Path == "" || rule.Path == "/") {
			return rule.Pool
		}
	}
	return rules.Default
}

// leads reports whether a pool leads to a workload.
func (r *Routes) leads(pool *route.Pool, w *workload.Workload) bool {
	return slices.ContainsFunc(r.plan.Services, func(s *workload.Service) bool {
		return backs(w.ID(), s) && slices.ContainsFunc(s.Ports, func(p workload.ServicePort) bool { return r.door(s, p.Port).pool == pool })
	})
}

// ingressAddresses returns the hosts and paths of Ingresses that lead to a workload.
func (r *Routes) ingressAddresses(w *workload.Workload, rules route.Routes) []string {
	var addresses []string
	if rules.Default != nil && r.leads(rules.Default, w) {
		addresses = append(addresses, fmt.Sprintf("http://localhost:%d", r.port))
	}
	for _, rule := range rules.Rules {
		host := "localhost"
		if rule.Host != "" {
			host = rules.LocalName(rule.Host)
		}
		if host == "" || !r.leads(rule.Pool, w) {
			continue
		}
		address := fmt.Sprintf("http://%s:%d%s", host, r.port, strings.TrimSuffix(strings.TrimSuffix(rule.Path, "*"), "/"))
		if !slices.Contains(addresses, address) {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// Entrances returns the addresses by which people reach the workload of an ID.
func (r *Routes) Entrances(workload string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.addresses[workload]
}
