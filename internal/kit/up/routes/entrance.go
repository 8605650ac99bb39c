package routes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/koshop/koshop/internal/kit/route"
	"github.com/koshop/koshop/internal/kit/workload"
)

// setFront leads from host names and paths to Services, and works out the
// addresses by which people reach workloads.
func (r *Routes) setFront() {
	rules := route.Routes{Services: map[string]*route.Pool{}}
	for _, s := range r.plan.Services {
		if port := web(s); port != nil {
			rules.Services[s.Name+"."+s.Namespace] = r.door(s, port.Port).pool
		}
		for _, port := range s.Ports {
			if port.HTTP {
				rules.Services[hostOf(s, port)] = r.door(s, port.Port).pool
			}
		}
	}
	if s := r.plan.Front(); s != nil {
		rules.Front = r.door(s, web(s).Port).pool
	}
	for _, i := range r.plan.Ingresses {
		for _, rule := range i.Rules {
			rules.Rules = append(rules.Rules, route.Rule{Host: rule.Host, Path: rule.Path, Exact: rule.Exact, Pool: r.backend(i, rule.Backend)})
		}
		if i.Default != nil && rules.Default == nil {
			rules.Default = r.backend(i, *i.Default)
		}
	}
	r.front.Set(rules)
	r.addresses = map[string][]string{}
	for _, w := range r.plan.Workloads {
		r.addresses[w.ID()] = r.addressesOf(w, rules)
	}
}

// backend returns where an Ingress leads: to the port of a Service that is run
// here, or to what --service names, or to a pool that says that there is none.
func (r *Routes) backend(i workload.Ingress, b workload.IngressBackend) *route.Pool {
	for _, s := range r.plan.Services {
		for _, port := range s.Ports {
			if s.Namespace == i.Namespace && b.Serves(s, port) {
				return r.door(s, port.Port).pool
			}
		}
	}
	port := cmp.Or(b.PortName, strconv.Itoa(int(b.Port)))
	id := i.Namespace + "/" + b.Service + ":" + port
	if r.outside[id] == nil {
		r.outside[id] = &outside{pool: route.NewPool(b.Service)}
		r.outside[id].pool.Explain(func() string {
			return fmt.Sprintf("port %s of service/%s, to which Ingress %s leads, is not run here; if you have one, --service %[2]s=HOST:PORT", port, b.Service, i.Name)
		})
	}
	r.outside[id].lead(cmp.Or(r.services[b.Service+"."+i.Namespace], r.services[b.Service]))
	return r.outside[id].pool
}

// outside is a backend that is not run here.
type outside struct {
	pool    *route.Pool
	address string // where it runs instead, "" if that is not known
}

// lead leads requests to an address from now on. Its endpoint is never retired:
// it belongs to a program that is not ours.
func (o *outside) lead(address string) {
	if address == o.address {
		return
	}
	o.address = address
	if address == "" {
		o.pool.Set(nil)
		return
	}
	o.pool.Set([]*route.Endpoint{route.NewEndpoint(address)})
}

func (r *Routes) door(s *workload.Service, port int32) *door {
	return r.doors[doorID{s.Namespace, s.Name, port}]
}

// web returns the port of a Service that people come for, nil if none speaks
// HTTP: the first one, before those for gRPC, and before those for metrics and the
// like.
func web(s *workload.Service) *workload.ServicePort {
	for _, counts := range []func(workload.ServicePort) bool{
		func(p workload.ServicePort) bool { return p.HTTP && !p.Aside && !p.GRPC },
		func(p workload.ServicePort) bool { return p.HTTP && !p.Aside },
		func(p workload.ServicePort) bool { return p.HTTP },
	} {
		if i := slices.IndexFunc(s.Ports, counts); i >= 0 {
			return &s.Ports[i]
		}
	}
	return nil
}

// hostOf returns the name of a port of a Service at the front door, below
// localhost.
func hostOf(s *workload.Service, port workload.ServicePort) string {
	return fmt.Sprintf("%s.%s.%s", label(port), s.Name, s.Namespace)
}

// label is what a port is called: by its name, or else its number.
func label(port workload.ServicePort) string { return cmp.Or(port.Name, strconv.Itoa(int(port.Port))) }
