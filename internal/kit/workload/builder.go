package workload

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
)

// builder works out one container of a pod, step by step: what it is told by
// the manifests, where it listens here, and then what that makes of the
// former.
type builder struct {
	*seat
	site       Site
	importPath string
	binary     string
	data       string            // its kodata directory, "" if it has none
	values     map[string]string // variables as the manifests have them
	arguments  []string          // likewise
	paths      paths
	ports      map[int32]int // here, by container port
	port       int           // PORT
	awaited    bool          // whether others count on it to listen there
	fixed      bool          // whether it listens on a port of its own choice, too
	rewriter   rewriter
}

// kodata is where an image has the kodata directory of its program.
const kodata = "/var/run/ko"

// builders returns the builders of w's containers, ready to build.
func (p *Plan) builders(w *Workload, site Site) ([]*builder, error) {
	services := names{plan: p, namespace: w.Namespace, redirect: site.Redirect, address: site.Address}
	base := seat{plan: p, workload: w, pod: w.meta(site.Replica), given: site.Env, links: p.serviceLinks(w, services)}
	volumes := &volumes{seat: &base, site: site, placed: map[string]string{}}
	dirs, err := volumes.layOut()
	if err != nil {
		return nil, err
	}
	var all []*builder
	for _, c := range w.containers() {
		own := base
		own.container = c
		b := &builder{seat: &own, site: site}
		if err := b.ask(); err != nil {
			return nil, err
		}
		if b.paths, err = volumes.mount(c, dirs, b.known(b.values)); err != nil {
			return nil, err
		}
		if b.data != "" {
			b.paths = newPaths(append(b.paths, place{kodata, b.data}))
		}
		all = append(all, b)
	}
	return all, p.connect(w, all, services)
}

// ask reads what the manifests tell the container.
func (b *builder) ask() (err error) {
	b.importPath = importPath(b.container.Image)
	b.binary = b.site.Binary(b.importPath)
	if b.site.DataPath != nil {
		b.data = b.site.DataPath(b.importPath)
	}
	if b.values, err = b.seat.values(); err != nil {
		return err
	}
	if b.arguments, err = arguments(b.workload, b.container); err != nil {
		return err
	}
	b.arguments = expandAll(b.arguments, b.known(b.values))
	return nil
}

// stated returns the PORT of the manifests, 0 if they have none.
func (b *builder) stated() int32 {
	port, _ := parsePort(b.values["PORT"])
	return port
}

// settings returns the variables that are to be rewritten.
func (b *builder) settings() []setting {
	values := maps.Clone(b.values)
	delete(values, "PORT")
	return sorted(values)
}

func sorted(values map[string]string) []setting {
	var settings []setting
	for _, name := range slices.Sorted(maps.Keys(values)) {
		settings = append(settings, variable(name, values[name]))
	}
	return settings
}

// build puts the container together.
func (b *builder) build() (Container, error) {
	c := Container{
		Name: b.container.Name, ImportPath: b.importPath, Binary: b.binary, Ports: b.ports,
		Args: b.rewriter.args(b.arguments), Env: b.environment(), Sidecar: isSidecar(b.container),
		Dir: b.paths.directory(b.site.Root, b.container.WorkingDir),
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return c, fmt.Errorf("%s: making the working directory of container %s: %w", b.workload, c.Name, err)
	}
	if b.awaited {
		c.Listen = b.port
	}
	var err error
	if c.Readiness, err = b.probe(b.container.ReadinessProbe); err != nil {
		return c, err
	}
	if c.Liveness, err = b.probe(b.container.LivenessProbe); err != nil {
		return c, err
	}
	c.Startup, err = b.probe(b.container.StartupProbe)
	return c, err
}

// environment returns all variables of the process.
func (b *builder) environment() []string {
	rewritten := map[string]string{}
	for _, s := range b.rewriter.variables(b.settings()) {
		rewritten[s.name] = s.value
	}
	general := map[string]string{"HOSTNAME": b.pod.Name}
	if b.data != "" {
		general["KO_DATA_PATH"] = b.data
	}
	port := map[string]string{"PORT": strconv.Itoa(b.port)}
	return entries(inheritedVariables(), general, b.links, rewritten, port)
}
