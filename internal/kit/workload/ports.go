package workload

import (
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// httpPort is the name of the port that PORT is about, and somePort the number
// of the port of a pod that names none.
const (
	httpPort = "http"
	somePort = 8080
)

// isLocal tells the hosts by which a pod listens, or reaches itself.
func isLocal(host string) bool {
	switch host {
	case "", "localhost", "127.0.0.1", "0.0.0.0", "[::]", "[::1]", "::", "::1":
		return true
	}
	return false
}

// local returns the addresses of the pod's own ports by the hosts that isLocal
// tells, and leaves other hosts to next.
func local(ports func(int32) (int, bool), next func(string) target) func(string) target {
	return func(host string) target {
		if !isLocal(host) {
			return next(host)
		}
		return func(scheme string, port int32) (string, bool) {
			if port == 0 {
				port = defaultPorts[scheme]
			}
			here, found := ports(port)
			return net.JoinHostPort("127.0.0.1", strconv.Itoa(here)), found
		}
	}
}

// claimed returns the ports that a container says it listens on: those that it
// declares, and those of its probes and of stated, its PORT in the manifests.
func claimed(c corev1.Container, stated int32) []int32 {
	var ports []int32
	for _, p := range c.Ports {
		if p.Protocol == "" || p.Protocol == corev1.ProtocolTCP {
			ports = append(ports, p.ContainerPort)
		}
	}
	ports = append(ports, probedPorts(c)...)
	if stated > 0 {
		ports = append(ports, stated)
	}
	return ports
}

// primary returns the port that PORT is about, of those that c claims.
func primary(c corev1.Container, stated int32, claimed []int32) int32 {
	if stated > 0 {
		return stated
	}
	if named, isNamed := namedPort(c, httpPort); isNamed {
		return named
	}
	return claimed[0]
}

// probedPorts returns the ports of c that its probes give as numbers.
func probedPorts(c corev1.Container) []int32 {
	var ports []int32
	for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe, c.StartupProbe} {
		switch {
		case probe == nil:
		case probe.HTTPGet != nil && isLocal(probe.HTTPGet.Host):
			ports = append(ports, probe.HTTPGet.Port.IntVal)
		case probe.TCPSocket != nil && isLocal(probe.TCPSocket.Host):
			ports = append(ports, probe.TCPSocket.Port.IntVal)
		case probe.GRPC != nil:
			ports = append(ports, probe.GRPC.Port)
		}
	}
	return slices.DeleteFunc(ports, func(port int32) bool { return port == 0 })
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

// lookup returns ports as a function.
func lookup(ports map[int32]int) func(int32) (int, bool) {
	return func(port int32) (int, bool) {
		here, found := ports[port]
		return here, found
	}
}
