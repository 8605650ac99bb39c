package workload

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/listen"
	"github.com/koshop/koshop/internal/kit/probe"
)

// Probe returns a probe of a container with numbers for its ports; nil stays nil. It
// fails if the probe names a port that the container does not have.
func Probe(c corev1.Container, p *corev1.Probe) (*probe.Probe, error) {
	if p == nil {
		return nil, nil
	}
	to := &probe.Probe{
		InitialDelaySeconds: p.InitialDelaySeconds, PeriodSeconds: p.PeriodSeconds, TimeoutSeconds: p.TimeoutSeconds,
		FailureThreshold: p.FailureThreshold, SuccessThreshold: p.SuccessThreshold,
	}
	switch {
	case p.HTTPGet != nil:
		number, found := listen.Number(c, p.HTTPGet.Port)
		if !found {
			return nil, unknownPort(c, p.HTTPGet.Port.StrVal)
		}
		to.HTTPGet = &probe.HTTPGet{Scheme: string(p.HTTPGet.Scheme), Host: p.HTTPGet.Host, Port: int(number), Path: p.HTTPGet.Path}
		for _, header := range p.HTTPGet.HTTPHeaders {
			to.HTTPGet.Headers = append(to.HTTPGet.Headers, probe.Header(header))
		}
	case p.TCPSocket != nil:
		number, found := listen.Number(c, p.TCPSocket.Port)
		if !found {
			return nil, unknownPort(c, p.TCPSocket.Port.StrVal)
		}
		to.TCPSocket = &probe.TCPSocket{Host: p.TCPSocket.Host, Port: int(number)}
	case p.GRPC != nil:
		to.GRPC = &probe.GRPC{Port: int(p.GRPC.Port)}
		if p.GRPC.Service != nil {
			to.GRPC.Service = *p.GRPC.Service
		}
	case p.Exec != nil:
		to.Command = p.Exec.Command
	}
	return to, nil
}

func unknownPort(c corev1.Container, name string) error {
	return fmt.Errorf("a probe of container %s asks port %q, which the container does not have", c.Name, name)
}
