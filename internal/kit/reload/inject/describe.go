package inject

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/workload"
)

// describe returns what the manifests say of a container that runs a program. Of a
// container that the plan does not have nothing else is known: its versions follow one
// another.
func (p *pod) describe(name, program string) (wire.Container, error) {
	told := wire.Container{Program: program}
	if p.workload == nil {
		return told, nil
	}
	for i, c := range p.workload.Containers() {
		if c.Name != name {
			continue
		}
		told.GraceSeconds, told.ReadySeconds = grace(p.workload), mayStartFor(c)
		var err error
		if told.Readiness, err = workload.Probe(c, c.ReadinessProbe); err != nil {
			return told, err
		}
		listening := p.workload.Listening()[i]
		if listening.Presumed {
			return told, nil // Nothing says that it listens at all.
		}
		told.MayNotListen = listening.Unsure
		for _, port := range listening.All {
			switch {
			case !port.Declared && p.isOthers(name, port.Number):
			case port.IsFixed() || isAlsoUDP(c, port.Number):
				told.Fixed = append(told.Fixed, port.Number)
			default:
				told.Ports = append(told.Ports, port.Number)
			}
		}
		if slices.Contains(told.Ports, listening.PORT) {
			told.PORT = listening.PORT
		}
	}
	return told, nil
}

// grace returns how long a pod may take to end, if it says so.
func grace(w *workload.Workload) int64 {
	if seconds := w.Template.Spec.TerminationGracePeriodSeconds; seconds != nil {
		return max(*seconds, 1)
	}
	return 0
}

// mayStartFor returns how many seconds a startup probe gives a container, 0 if there is
// none.
func mayStartFor(c corev1.Container) int64 {
	p := c.StartupProbe
	if p == nil {
		return 0
	}
	return int64(p.InitialDelaySeconds) + int64(cmp.Or(p.FailureThreshold, 3))*int64(cmp.Or(p.PeriodSeconds, 10))
}

// isOthers reports whether another container of the pod declares a port. The plan knows
// only those that are built from Go.
func (p *pod) isOthers(name string, port int32) bool {
	for _, field := range []string{"containers", "initContainers"} {
		for _, each := range list(p.spec, field) {
			container, _ := each.(map[string]any)
			if container["name"] == name {
				continue
			}
			for _, each := range list(container, "ports") {
				if declared, _ := each.(map[string]any); declared["containerPort"] == int64(port) {
					return true
				}
			}
		}
	}
	return false
}

// isAlsoUDP reports whether a container has a port of another protocol with the same
// number: a program told of another number would listen there in both.
func isAlsoUDP(c corev1.Container, port int32) bool {
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
		return p.ContainerPort == port && p.Protocol != "" && p.Protocol != corev1.ProtocolTCP
	})
}
