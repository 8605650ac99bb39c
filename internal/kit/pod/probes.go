package pod

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/listen"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

// probe returns a probe as it is asked here; nil stays nil.
func (d *draft) probe(probe *corev1.Probe) (*corev1.Probe, error) {
	if probe == nil {
		return nil, nil
	}
	probe = probe.DeepCopy()
	var err error
	switch {
	case probe.HTTPGet != nil:
		err = d.endpoint(&probe.HTTPGet.Host, &probe.HTTPGet.Port)
	case probe.TCPSocket != nil:
		err = d.endpoint(&probe.TCPSocket.Host, &probe.TCPSocket.Port)
	case probe.GRPC != nil:
		probe.GRPC.Port = int32(d.reachable[probe.GRPC.Port])
	case probe.Exec != nil:
		probe.Exec.Command = d.execute(probe.Exec.Command)
	}
	return probe, err
}

// endpoint leads a host and port to where the container listens here. One on
// another host stays as it is.
func (d *draft) endpoint(host *string, port *intstr.IntOrString) error {
	number, found := listen.Number(d.container, *port)
	if !found {
		return fmt.Errorf("%s: a probe of container %s asks port %q, which the container does not have", d.workload, d.container.Name, port.StrVal)
	}
	if !rewrite.IsLocal(*host) {
		*port = intstr.FromInt32(number)
		return nil
	}
	*host = "127.0.0.1"
	*port = intstr.FromInt(d.reachable[number])
	return nil
}

// execute returns a probe's command, which may be the program itself.
func (d *draft) execute(command []string) []string {
	if len(command) == 0 {
		return nil
	}
	command = d.rules.Args(environment.ExpandAll(command, d.source.Known(d.values)))
	if workload.IsProgram(command[0], d.importPath) {
		command[0] = d.binary
	}
	return command
}
