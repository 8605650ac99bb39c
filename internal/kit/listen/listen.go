// Package listen decides which ports the containers of a pod listen on: which
// of them is the one that PORT names, which others the program is told of, by
// which setting, and which are fixed.
package listen

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/koshop/koshop/internal/kit/rewrite"
)

// Container is what the manifests tell a container.
type Container struct {
	Spec      corev1.Container
	Variables map[string]string // with references resolved, PORT included
	Arguments []string          // likewise
	Role      Role
	// Led tells that each port can be led elsewhere without the program being
	// told, as a container engine does.
	Led bool
}

// Role is when a container of a pod runs.
type Role int

// A main container runs as long as the pod does, and so does a sidecar; an init
// container ends before the next container starts.
const (
	Main Role = iota
	Sidecar
	Init
)

// Ports are those that a container listens on.
type Ports struct {
	// All are the container's ports, each once, in the order in which the
	// manifests declare, probe and name them.
	All []Port
	// PORT is the one of All that the variable PORT is about, 0 if the container
	// listens on none.
	PORT int32
	// Presumed tells that nothing in the manifests says that the container
	// listens at all.
	Presumed bool
	// Unsure tells that nothing but a PORT of a whole ConfigMap or Secret says that
	// the container listens: a worker may share that with a server.
	Unsure bool
}

// Port is a port of a container.
type Port struct {
	Number int32
	Name   string // that the container declares it by, "" if it has none
	// ToldBy names the setting that tells the program to listen there, such as
	// "variable METRICS_PORT". It is "" for a fixed port: the program listens
	// there whatever it is told.
	ToldBy string
	// Declared tells that the container itself has it, in its ports or as a PORT
	// of its own; others are only asked by probes or led to by Services.
	Declared bool
}

// IsFixed reports whether no setting can lead the program to another port.
func (p Port) IsFixed() bool { return p.ToldBy == "" }

// httpPort is the name of the port that PORT is about, if the manifests state no
// PORT, and somePort the number of the port of a pod that names none.
const (
	httpPort = "http"
	somePort = 8080
)

// Decide returns the ports of the containers of a pod, in their order. Targets
// are the ports of the pod that Services lead to: those that no container has
// are the first main container's.
func Decide(containers []Container, targets []int32) []Ports {
	decided := make([]Ports, len(containers))
	for i, c := range containers {
		decided[i].declare(c)
	}
	isTaken := func(port int32) bool { // by a container that runs on
		for i, c := range containers {
			if c.Role != Init && decided[i].index(port) >= 0 {
				return true
			}
		}
		return false
	}
	for i, c := range containers { // Several containers may share a ConfigMap with PORT, or a probe.
		decided[i].add(slices.DeleteFunc(append(shared(c), probed(c.Spec)...), isTaken)...)
	}
	first := slices.IndexFunc(containers, func(c Container) bool { return c.Role == Main })
	decided[first].add(slices.DeleteFunc(slices.Clone(targets), isTaken)...)
	if !slices.ContainsFunc(decided, func(p Ports) bool { return len(p.All) > 0 }) {
		decided[first].add(somePort)
		decided[first].Presumed = true
	}
	for i, c := range containers {
		decided[i].tell(c)
		decided[i].Unsure = decided[i].isUnsure(c, targets)
	}
	return decided
}

// declare adds what the container says it listens on.
func (p *Ports) declare(c Container) {
	for _, port := range c.Spec.Ports {
		if (port.Protocol == "" || port.Protocol == corev1.ProtocolTCP) && p.index(port.ContainerPort) < 0 {
			p.All = append(p.All, Port{Number: port.ContainerPort, Name: port.Name, Declared: true})
		}
	}
	if port := stated(c); port != 0 && p.index(port) < 0 && hasOwnPORT(c) {
		p.All = append(p.All, Port{Number: port, Declared: true})
	}
}

// hasOwnPORT reports whether PORT is among the variables of the container's own,
// and not of a whole ConfigMap or Secret.
func hasOwnPORT(c Container) bool {
	return slices.ContainsFunc(c.Spec.Env, func(v corev1.EnvVar) bool { return v.Name == "PORT" })
}

// shared returns the PORT of a whole ConfigMap or Secret.
func shared(c Container) []int32 {
	if port := stated(c); port != 0 && !hasOwnPORT(c) {
		return []int32{port}
	}
	return nil
}

func (p *Ports) isUnsure(c Container, targets []int32) bool {
	return len(p.All) == 1 && slices.Contains(shared(c), p.All[0].Number) && !p.All[0].Declared &&
		!slices.Contains(append(probed(c.Spec), targets...), p.All[0].Number)
}

func (p *Ports) add(ports ...int32) {
	for _, port := range ports {
		if p.index(port) < 0 {
			p.All = append(p.All, Port{Number: port})
		}
	}
}

func (p *Ports) index(number int32) int {
	return slices.IndexFunc(p.All, func(port Port) bool { return port.Number == number })
}

// tell settles which port PORT is about, and what tells the program of the
// others. A program that is told no PORT is expected to read it all the same.
func (p *Ports) tell(c Container) {
	if len(p.All) == 0 {
		return
	}
	p.PORT = p.All[max(0, slices.IndexFunc(p.All, func(port Port) bool { return port.Name == httpPort }))].Number
	if port := stated(c); p.index(port) >= 0 {
		p.PORT = port
	}
	variables := maps.Clone(c.Variables)
	delete(variables, "PORT")
	byVariable, byArgument := rewrite.Ports(rewrite.Variables(variables)), rewrite.Ports(rewrite.Arguments(c.Arguments))
	for i, port := range p.All {
		variable, isVariable := byVariable[port.Number]
		argument, isArgument := byArgument[port.Number]
		switch {
		case port.Number == p.PORT:
			p.All[i].ToldBy = "variable PORT"
		case isVariable:
			p.All[i].ToldBy = variable.Label()
		case isArgument:
			p.All[i].ToldBy = argument.Label()
		case c.Led:
			p.All[i].ToldBy = "the way it is run"
		}
	}
}

// stated returns the PORT of the manifests, 0 if they have none. It may be the
// port of an address.
func stated(c Container) int32 {
	named := slices.Collect(maps.Keys(rewrite.Ports(rewrite.Variables(map[string]string{"PORT": c.Variables["PORT"]}))))
	if len(named) != 1 {
		return 0
	}
	return named[0]
}

// probed returns the ports of c that its probes give as numbers.
func probed(c corev1.Container) []int32 {
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
