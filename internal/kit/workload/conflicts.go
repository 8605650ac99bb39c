package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/listen"
)

// Conflicts returns an error for each port that cannot be had on one machine, on
// which all pods share one network. Front is the port of the front door.
func (p *Plan) Conflicts(front int) []error {
	var conflicts []error
	holders := map[int32][]holder{}
	for _, w := range p.Workloads {
		conflicts = append(conflicts, w.sharedPorts()...)
		if w.Kind == "Job" {
			continue // It has ended before the others start.
		}
		for _, h := range w.fixedPorts() {
			holders[h.port.Number] = append(holders[h.port.Number], h)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(holders)) {
		held := holders[number]
		if int(number) == front {
			conflicts = append(conflicts, fmt.Errorf("%s listens on port %d, which is the port of the front door, and %s: choose another front door with --port, or, %s",
				held[0], number, cannotMove, held[0].remedy()))
		}
		if len(held) > 1 {
			conflicts = append(conflicts, fmt.Errorf("%s listen on port %d, and %s: %s; or run only one of them here, by its name%s",
				list(held), number, cannotMove, held[1].remedy(), p.runElsewhere(held[1].workload)))
		}
	}
	return conflicts
}

// cannotMove says what a fixed port is.
const cannotMove = "no variable or argument in the manifests can lead it to another port"

// holder is a container with a fixed port.
type holder struct {
	workload  *Workload
	container string
	port      listen.Port
}

func (h holder) String() string { return fmt.Sprintf("container %s of %s", h.container, h.workload) }

func list(holders []holder) string {
	var texts []string
	for _, h := range holders {
		texts = append(texts, h.String())
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

// remedy says how a program can be led to another port.
func (h holder) remedy() string {
	name := h.port.Name
	if name == "" {
		name = "metrics"
	}
	return fmt.Sprintf("if its program reads the port from one, state it, such as %s_PORT=%d or --%s-port=%[2]d; if it does not listen there, remove the port from the manifest",
		strings.ToUpper(strings.ReplaceAll(name, "-", "_")), h.port.Number, name)
}

// runElsewhere names the option for a Service of w that runs elsewhere.
func (p *Plan) runElsewhere(w *Workload) string {
	for _, s := range p.Services {
		if !s.implicit && slices.Contains(s.Backends, w) {
			return fmt.Sprintf(", with --service %s=HOST:PORT for one that runs elsewhere", s.Name)
		}
	}
	return ""
}

// fixedPorts returns the fixed ports of w's containers, but for init containers,
// which end before others start.
func (w *Workload) fixedPorts() []holder {
	var fixed []holder
	for i, c := range w.Containers() {
		if w.role(i) == listen.Init {
			continue
		}
		for _, port := range w.listening[i].All {
			if port.IsFixed() {
				fixed = append(fixed, holder{w, c.Name, port})
			}
		}
	}
	return fixed
}

// sharedPorts returns an error for each port that several containers of w
// declare.
func (w *Workload) sharedPorts() []error {
	var errs []error
	holders := map[int32]string{}
	for i, c := range w.Containers() {
		if w.role(i) == listen.Init {
			continue
		}
		for _, port := range w.listening[i].All {
			other, isHeld := holders[port.Number]
			switch {
			case !port.Declared:
			case isHeld:
				errs = append(errs, fmt.Errorf("%s: containers %s and %s both have port %d: the containers of a pod share one network, in a cluster too; give one of them another port",
					w, other, c.Name, port.Number))
			default:
				holders[port.Number] = c.Name
			}
		}
	}
	return errs
}

// limitReplicas keeps one replica of each workload that has a fixed port, as a
// second one could not listen there.
func (p *Plan) limitReplicas() {
	for _, w := range p.Workloads {
		fixed := w.fixedPorts()
		if len(fixed) == 0 || w.Replicas == 1 {
			continue
		}
		text := fmt.Sprintf("%s: only 1 of %d replicas is run: container %s listens on port %d, and %s: %s",
			w, w.Replicas, fixed[0].container, fixed[0].port.Number, cannotMove, fixed[0].remedy())
		p.notes = append(p.notes, note{about: w, text: text})
		w.Replicas = 1
	}
}
