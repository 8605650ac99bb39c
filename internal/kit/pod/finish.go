package pod

import (
	"maps"
	"strconv"

	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

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
		c.Listen, c.MayNotListen = d.port, d.unsure
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
