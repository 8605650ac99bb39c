// Package listen says which ports a container listens on, and which of them is
// the one that PORT names.
package listen

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/koshop/koshop/internal/kit/rewrite"
)

// httpPort is the name of the port that PORT is about, if the manifests state no
// PORT.
const httpPort = "http"

// Claimed returns the ports that a container says it listens on: those that it
// declares, and those of its probes and of stated, its PORT in the manifests.
func Claimed(c corev1.Container, stated int32) []int32 {
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

// Primary returns the port that PORT is about, of those that c claims.
func Primary(c corev1.Container, stated int32, claimed []int32) int32 {
	if stated > 0 {
		return stated
	}
	if named, isNamed := Named(c, httpPort); isNamed {
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
		case probe.HTTPGet != nil && rewrite.IsLocal(probe.HTTPGet.Host):
			ports = append(ports, probe.HTTPGet.Port.IntVal)
		case probe.TCPSocket != nil && rewrite.IsLocal(probe.TCPSocket.Host):
			ports = append(ports, probe.TCPSocket.Port.IntVal)
		case probe.GRPC != nil:
			ports = append(ports, probe.GRPC.Port)
		}
	}
	return slices.DeleteFunc(ports, func(port int32) bool { return port == 0 })
}

// Named returns the number of a container's port.
func Named(c corev1.Container, name string) (int32, bool) {
	for _, port := range c.Ports {
		if port.Name == name {
			return port.ContainerPort, true
		}
	}
	return 0, false
}

// Number resolves a port that a container's probe names.
func Number(c corev1.Container, port intstr.IntOrString) (int32, bool) {
	if port.Type == intstr.String {
		return Named(c, port.StrVal)
	}
	return port.IntVal, true
}
