package pod

import (
	"fmt"
	"maps"
	"slices"

	"github.com/koshop/koshop/internal/kit/listen"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

// somePort is the number of the port of a pod that names none.
const somePort = 8080

// connect gives the containers their ports, and each the means to rewrite
// addresses. Containers of a pod share one network, so each may reach the
// ports of the others by localhost.
func (b *builder) connect() error {
	shared := map[int32]int{}
	inits := len(b.workload.Template.Spec.InitContainers)
	claims := b.claims()
	for i, d := range slices.Backward(b.drafts) { // the first container goes before the others
		if err := d.listen(claims[i]); err != nil {
			return err
		}
		if i >= inits || workload.IsSidecar(d.container) {
			maps.Copy(shared, d.ports)
		}
	}
	for _, d := range b.drafts {
		reachable := maps.Clone(shared)
		maps.Copy(reachable, d.ports)
		d.rules = rewrite.Rules{Find: rewrite.Local(lookup(reachable), b.services.Find), Own: lookup(d.ports), Paths: d.paths}
	}
	return nil
}

// claims returns the ports of each container. What no container claims, but a
// Service leads to, is the first main container's.
func (b *builder) claims() [][]int32 {
	claims := make([][]int32, len(b.drafts))
	for i, d := range b.drafts {
		claims[i] = listen.Claimed(d.container, d.stated())
	}
	taken := slices.Concat(claims...)
	rest := slices.DeleteFunc(b.plan.Targets(b.workload), func(port int32) bool { return slices.Contains(taken, port) })
	first := len(b.workload.Template.Spec.InitContainers)
	claims[first] = append(claims[first], rest...)
	for i, d := range b.drafts {
		d.awaited = len(claims[i]) > 0
	}
	if len(taken)+len(rest) == 0 && !b.drafts[first].isImage() {
		claims[first] = []int32{somePort}
	}
	return claims
}

// listen gives the container's ports loopback ports, and a PORT to one that has
// none. A port that the program is not told of, by PORT or another setting,
// keeps its number: the program listens there in any case.
func (d *draft) listen(claimed []int32) (err error) {
	d.ports = map[int32]int{}
	if len(claimed) == 0 {
		d.port, err = d.freePort()
		return err
	}
	about := listen.Primary(d.container, d.stated(), claimed)
	told := d.toldPorts(claimed)
	for _, port := range claimed {
		if _, assigned := d.ports[port]; assigned {
			continue
		}
		d.ports[port] = int(port)
		if port != about && !told[port] && !d.isImage() {
			d.fixed = true
			continue
		}
		if d.ports[port], err = d.freePort(); err != nil {
			return err
		}
	}
	d.port = d.ports[about]
	return nil
}

func (d *draft) freePort() (int, error) {
	port, err := d.site.FreePort()
	if err != nil {
		return 0, fmt.Errorf("%s: finding a loopback port for container %s: %w", d.workload, d.container.Name, err)
	}
	return port, nil
}

// toldPorts returns which of the ports the container's variables and
// arguments name.
func (d *draft) toldPorts(ports []int32) map[int32]bool {
	told := map[int32]bool{}
	own := func(port int32) (int, bool) {
		if !slices.Contains(ports, port) {
			return 0, false
		}
		told[port] = true
		return int(port), true
	}
	r := rewrite.Rules{Own: own, Find: rewrite.Local(own, func(string) rewrite.Target { return nil })}
	r.Variables(d.settings())
	r.Args(d.arguments)
	return told
}

// lookup returns ports as a function.
func lookup(ports map[int32]int) func(int32) (int, bool) {
	return func(port int32) (int, bool) {
		here, found := ports[port]
		return here, found
	}
}
