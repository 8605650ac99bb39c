package workload

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/listen"
)

// The names of ports and protocols that begin with grpcNames say gRPC, unless
// they begin with grpcWebNames, which are for browsers. Those with asideNames say
// HTTP, beside what users come for.
var (
	grpcNames    = []string{"grpc"}
	grpcWebNames = []string{"grpc-web", "grpcweb", "grpc-gateway"}
	asideNames   = []string{"metrics", "prom", "monitoring", "health", "probe", "admin", "debug", "pprof", "status"}
)

// says reports whether the name or the protocol of a port begins with one of names.
func says(p corev1.ServicePort, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return strings.HasPrefix(p.Name, name) || p.AppProtocol != nil && strings.HasPrefix(strings.ToLower(*p.AppProtocol), name)
	})
}

// settle derives what depends on which workloads are run.
func (p *ServicePort) settle(backends []*Workload) {
	byHTTP := slices.ContainsFunc(backends, p.probedByHTTP)
	byGRPC := slices.ContainsFunc(backends, p.probedByGRPC)
	known := p.saysHTTP || byHTTP || byGRPC
	p.GRPC = !byHTTP && (p.saysGRPC || byGRPC)
	p.Aside = p.saysAside && !p.GRPC
	p.Presumed = !known && !p.saysOther && (p.Aside || slices.ContainsFunc(backends, p.isPORT))
	p.HTTP = known || p.Presumed
}

// probedByGRPC reports whether w's health is asked by gRPC on the port that p
// leads to.
func (p ServicePort) probedByGRPC(w *Workload) bool {
	target, err := p.TargetPort(w)
	if err != nil {
		return false
	}
	for _, c := range w.Containers() {
		for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
			if probe != nil && probe.GRPC != nil && probe.GRPC.Port == target {
				return true
			}
		}
	}
	return false
}

// probedByHTTP reports whether w's health is asked by HTTP on the port that p
// leads to.
func (p ServicePort) probedByHTTP(w *Workload) bool {
	target, err := p.TargetPort(w)
	if err != nil {
		return false
	}
	for _, c := range w.Containers() {
		for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
			if probe == nil || probe.HTTPGet == nil {
				continue
			}
			if port, found := listen.Number(c, probe.HTTPGet.Port); found && port == target {
				return true
			}
		}
	}
	return false
}
