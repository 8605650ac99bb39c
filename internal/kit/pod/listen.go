package pod

import (
	"fmt"
	"maps"
	"slices"

	"github.com/koshop/koshop/internal/kit/listen"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

// connect gives the containers their ports, and each the means to rewrite
// addresses. Containers of a pod share one network, so each may reach the
// ports of the others by localhost.
func connect(drafts []*draft) error {
	shared := map[int32]int{}
	for i, d := range slices.Backward(drafts) { // the first container goes before the others
		if err := d.listen(d.workload.Listening()[i]); err != nil {
			return err
		}
		if i >= len(d.workload.Template.Spec.InitContainers) || workload.IsSidecar(d.container) {
			maps.Copy(shared, d.ports)
		}
	}
	for _, d := range drafts {
		d.reachable = maps.Clone(shared)
		maps.Copy(d.reachable, d.ports)
		d.rules = rewrite.Rules{Find: rewrite.Local(lookup(d.reachable), d.services.Find), Own: lookup(d.ports), Paths: d.paths}
	}
	return nil
}

// listen gives the container's ports loopback ports, and a PORT to one that has
// none. A fixed port keeps its number: the program listens there in any case.
func (d *draft) listen(decided listen.Ports) (err error) {
	d.awaited = len(decided.All) > 0 && !decided.Presumed
	d.unsure = decided.Unsure
	d.ports = map[int32]int{}
	for _, port := range decided.All {
		d.ports[port.Number] = int(port.Number)
		if port.IsFixed() {
			d.fixed = true
			continue
		}
		if d.ports[port.Number], err = d.freePort(); err != nil {
			return err
		}
	}
	d.port = d.ports[decided.PORT]
	if d.port == 0 {
		d.port, err = d.freePort()
	}
	return err
}

func (d *draft) freePort() (int, error) {
	port, err := d.site.FreePort()
	if err != nil {
		return 0, fmt.Errorf("%s: finding a loopback port for container %s: %w", d.workload, d.container.Name, err)
	}
	return port, nil
}

// lookup returns ports as a function.
func lookup(ports map[int32]int) func(int32) (int, bool) {
	return func(port int32) (int, bool) {
		here, found := ports[port]
		return here, found
	}
}
