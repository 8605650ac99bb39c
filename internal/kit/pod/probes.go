package pod

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/probe"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

// probe returns a probe as it is asked here; nil stays nil.
func (d *draft) probe(asked *corev1.Probe) (*probe.Probe, error) {
	p, err := workload.Probe(d.container, asked)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.workload, err)
	}
	switch {
	case p == nil:
	case p.HTTPGet != nil:
		d.endpoint(&p.HTTPGet.Host, &p.HTTPGet.Port)
	case p.TCPSocket != nil:
		d.endpoint(&p.TCPSocket.Host, &p.TCPSocket.Port)
	case p.GRPC != nil:
		p.GRPC.Port = d.reachable[int32(p.GRPC.Port)]
	default:
		p.Command = d.execute(p.Command)
	}
	return p, nil
}

// endpoint leads a host and port to where the container listens here. One on
// another host stays as it is.
func (d *draft) endpoint(host *string, port *int) {
	if !rewrite.IsLocal(*host) {
		return
	}
	*host = "127.0.0.1"
	*port = d.reachable[int32(*port)]
}

// execute returns a probe's command, which may be the program itself.
func (d *draft) execute(command []string) []string {
	command = d.expand(command)
	if len(command) == 0 || !d.local {
		return command
	}
	command = d.rules.Args(command)
	if !d.isImage() && workload.IsProgram(command[0], d.importPath) {
		command[0] = d.binary
	}
	return command
}
