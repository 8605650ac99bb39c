package pod

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

// draft is a container that is worked out step by step: what the manifests tell
// it, where it listens here, and then what that makes of the former.
type draft struct {
	*replica
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
	unsure     bool          // whether it may not listen at all
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
