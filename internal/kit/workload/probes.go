package workload

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// probe returns a probe as it is asked here; nil stays nil.
func (b *builder) probe(probe *corev1.Probe) (*corev1.Probe, error) {
	if probe == nil {
		return nil, nil
	}
	probe = probe.DeepCopy()
	var err error
	switch {
	case probe.HTTPGet != nil:
		err = b.endpoint(&probe.HTTPGet.Host, &probe.HTTPGet.Port)
	case probe.TCPSocket != nil:
		err = b.endpoint(&probe.TCPSocket.Host, &probe.TCPSocket.Port)
	case probe.GRPC != nil:
		probe.GRPC.Port = int32(b.ports[probe.GRPC.Port])
	case probe.Exec != nil:
		probe.Exec.Command = b.execute(probe.Exec.Command)
	}
	return probe, err
}

// endpoint leads a host and port to where the container listens here. One on
// another host stays as it is.
func (b *builder) endpoint(host *string, port *intstr.IntOrString) error {
	number, found := portNumber(b.container, *port)
	if !found {
		return fmt.Errorf("%s: a probe of container %s asks port %q, which the container does not have", b.workload, b.container.Name, port.StrVal)
	}
	if !isLocal(*host) {
		*port = intstr.FromInt32(number)
		return nil
	}
	*host = "127.0.0.1"
	*port = intstr.FromInt(b.ports[number])
	return nil
}

// execute returns a probe's command, which may be the program itself.
func (b *builder) execute(command []string) []string {
	if len(command) == 0 {
		return nil
	}
	command = b.rewriter.args(expandAll(command, b.known(b.values)))
	if isProgram(command[0], b.importPath) {
		command[0] = b.binary
	}
	return command
}
