package pod

import (
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

// draft is a container that is worked out step by step: what the manifests tell
// it, where it listens here, and then what that makes of the former.
type draft struct {
	*builder
	container  corev1.Container
	importPath string
	local      bool // whether it has this machine's files, not those of an image
	binary     string
	data       string            // its kodata directory, "" if it has none
	values     map[string]string // variables as the manifests have them
	arguments  []string          // likewise
	paths      rewrite.Paths
	mounts     []bind.Mount  // of one that is not built from Go
	ports      map[int32]int // here, by container port
	reachable  map[int32]int // likewise, with those of the other containers
	port       int           // PORT
	awaited    bool          // whether others count on it to listen there
	fixed      bool          // whether it listens on a port of its own choice, too
	rules      rewrite.Rules
}

// read reads what the manifests tell the container.
func (d *draft) read() (err error) {
	d.importPath = workload.ImportPath(d.container.Image)
	d.local = !d.isImage() || d.site.Local != nil && d.site.Local(d.container)
	if d.values, err = d.source.Variables(d.container); err != nil || d.isImage() {
		return err
	}
	d.binary = d.site.Binary(d.importPath)
	if d.site.DataPath != nil {
		d.data = d.site.DataPath(d.importPath)
	}
	if d.arguments, err = d.workload.Arguments(d.container); err != nil {
		return err
	}
	d.arguments = environment.ExpandAll(d.arguments, d.source.Known(d.values))
	return nil
}

// finish puts the container together.
func (d *draft) finish() (Container, error) {
	c := Container{
		Name: d.container.Name, ImportPath: d.importPath, Binary: d.binary, Ports: d.ports,
		Args: d.rules.Args(d.arguments), Env: d.environment(), Sidecar: workload.IsSidecar(d.container),
		Dir: d.paths.Directory(d.site.Root, d.container.WorkingDir),
	}
	if d.isImage() {
		c.Image = d.image()
	}
	if d.awaited {
		c.Listen = d.port
	}
	var err error
	if c.Readiness, err = d.probe(d.container.ReadinessProbe); err != nil {
		return c, err
	}
	if c.Liveness, err = d.probe(d.container.LivenessProbe); err != nil {
		return c, err
	}
	c.Startup, err = d.probe(d.container.StartupProbe)
	return c, err
}

// environment returns all variables of the process.
func (d *draft) environment() []string {
	rewritten := map[string]string{}
	for _, s := range d.rules.Variables(rewrite.Variables(d.values)) {
		rewritten[s.Name] = s.Value
	}
	if value := rewritten["PORT"]; value == "" || value == d.values["PORT"] {
		rewritten["PORT"] = strconv.Itoa(d.port)
	}
	general := map[string]string{"HOSTNAME": d.source.Pod.Name}
	if d.data != "" {
		general["KO_DATA_PATH"] = d.data
	}
	if d.workload.UsesCluster {
		maps.Copy(general, environment.Cluster())
	}
	return environment.Entries(environment.Inherited(), general, d.source.Links, rewritten)
}
