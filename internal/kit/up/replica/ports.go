package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/route"
	"github.com/koshop/koshop/internal/kit/up/routes"
)

// ports knows who has the ports that keep their numbers, those of which no
// variable or argument tells a program.
type ports struct {
	mu       sync.Mutex
	starting map[int]*instance // which is about to listen, by port
	programs map[int]holder    // replicas, by the process groups of their programs
}

func newPorts() *ports { return &ports{starting: map[int]*instance{}, programs: map[int]holder{}} }

// holder is a replica that has a port.
type holder struct {
	slot routes.Replica
	name string
}

// portTaken says that a program cannot listen on a port.
type portTaken struct {
	port   int
	holder string
	group  int            // process group of the holder if it is one of ours, else 0
	slot   routes.Replica // of the holder, likewise
}

func (e *portTaken) Error() string {
	return fmt.Sprintf("port %d is in use by %s", e.port, e.holder)
}

// began takes note of the program of a replica.
func (p *ports) began(group int, replica holder) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.programs[group] = replica
}

func (p *ports) ended(group int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.programs, group)
}

// check returns a *portTaken if something listens on a port.
func (p *ports) check(port int) error {
	busy, isBusy := errors.AsType[*route.BusyError](route.Probe(port))
	if !isBusy {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	group := groupOf(busy.Process)
	if replica, isOurs := p.programs[group]; isOurs {
		return &portTaken{port, replica.name, group, replica.slot}
	}
	if busy.Program == "" {
		return &portTaken{port: port, holder: "another program"}
	}
	return &portTaken{port: port, holder: fmt.Sprintf("%s (process %d)", busy.Program, busy.Process)}
}

// reserve has an instance be the only one that is about to listen on these
// ports, until release, or says who has one of them.
func (p *ports) reserve(i *instance, name string, numbers []int) error {
	for _, port := range numbers {
		if err := p.check(port); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, port := range numbers {
		if other := p.starting[port]; other != nil && other != i {
			return &portTaken{port: port, holder: "another replica of " + name}
		}
	}
	for _, port := range numbers {
		p.starting[port] = i
	}
	return nil
}

func (p *ports) release(i *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for port, holder := range p.starting {
		if holder == i {
			delete(p.starting, port)
		}
	}
}

// portsEvery is how often it is looked whether a port is free by now.
const portsEvery = 300 * time.Millisecond

// awaitPorts returns when the ports are free that the programs of an instance
// cannot be told to leave alone. They are the instance's until it is ready.
func (h *host) awaitPorts(ctx context.Context, i *instance) error {
	numbers := fixedPorts(i.pod)
	if len(numbers) == 0 {
		return nil
	}
	blocked := ""
	for {
		err := h.ports.reserve(i, i.version.Workload.Name, numbers)
		if err == nil {
			break
		}
		if err.Error() != blocked {
			blocked = err.Error()
			h.row.Blocked(err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(portsEvery):
		}
	}
	if blocked != "" {
		h.row.Starting(false)
	}
	go func() { // Ends with the instance.
		select {
		case <-i.ready:
		case <-i.ended:
		}
		h.ports.release(i)
	}()
	return nil
}

// fixedPorts returns the ports that keep the numbers of the manifests.
func fixedPorts(p *pod.Pod) []int {
	var numbers []int
	for _, c := range p.Containers {
		for inside, here := range c.Ports {
			if p.Fixed && int(inside) == here {
				numbers = append(numbers, here)
			}
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}
