package workload

import (
	"fmt"
	"maps"
	"slices"
)

// connect gives the containers their ports, and each the means to rewrite
// addresses. Containers of a pod share one network, so each may reach the
// ports of the others by localhost.
func (p *Plan) connect(w *Workload, all []*builder, services names) error {
	shared := map[int32]int{}
	inits := len(w.Template.Spec.InitContainers)
	claims := p.claims(w, all)
	for i, b := range slices.Backward(all) { // the first container goes before the others
		if err := b.listen(claims[i]); err != nil {
			return err
		}
		if i >= inits || isSidecar(b.container) {
			maps.Copy(shared, b.ports)
		}
	}
	for _, b := range all {
		reachable := maps.Clone(shared)
		maps.Copy(reachable, b.ports)
		b.rewriter = rewriter{find: local(lookup(reachable), services.find), own: lookup(b.ports), paths: b.paths}
	}
	return nil
}

// claims returns the ports of each container. What no container claims, but a
// Service leads to, is the first main container's.
func (p *Plan) claims(w *Workload, all []*builder) [][]int32 {
	claims := make([][]int32, len(all))
	for i, b := range all {
		claims[i] = claimed(b.container, b.stated())
	}
	taken := slices.Concat(claims...)
	rest := slices.DeleteFunc(p.targets(w), func(port int32) bool { return slices.Contains(taken, port) })
	first := len(w.Template.Spec.InitContainers)
	claims[first] = append(claims[first], rest...)
	for i, b := range all {
		b.awaited = len(claims[i]) > 0
	}
	if len(taken)+len(rest) == 0 {
		claims[first] = []int32{somePort}
	}
	return claims
}

// listen gives the container's ports loopback ports, and a PORT to one that has
// none. A port that the program is not told of, by PORT or another setting,
// keeps its number: the program listens there in any case.
func (b *builder) listen(claimed []int32) (err error) {
	b.ports = map[int32]int{}
	if len(claimed) == 0 {
		b.port, err = b.freePort()
		return err
	}
	about := primary(b.container, b.stated(), claimed)
	told := b.toldPorts(claimed)
	for _, port := range claimed {
		if _, assigned := b.ports[port]; assigned {
			continue
		}
		b.ports[port] = int(port)
		if port != about && !told[port] {
			b.fixed = true
			continue
		}
		if b.ports[port], err = b.freePort(); err != nil {
			return err
		}
	}
	b.port = b.ports[about]
	return nil
}

func (b *builder) freePort() (int, error) {
	port, err := b.site.FreePort()
	return port, wrap(err, fmt.Sprintf("%s: finding a loopback port for container %s", b.workload, b.container.Name))
}

// toldPorts returns which of the ports the container's variables and
// arguments name.
func (b *builder) toldPorts(ports []int32) map[int32]bool {
	told := map[int32]bool{}
	own := func(port int32) (int, bool) {
		if !slices.Contains(ports, port) {
			return 0, false
		}
		told[port] = true
		return int(port), true
	}
	r := rewriter{own: own, find: local(own, func(string) target { return nil })}
	r.variables(b.settings())
	r.args(b.arguments)
	return told
}
