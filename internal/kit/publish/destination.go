package publish

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/ko/pkg/commands/options"
	"github.com/google/ko/pkg/publish"
)

// destination is where an image goes: what it is called in an error, and what to
// do when no image gets there.
type destination struct {
	name   string
	remedy string
}

// destinations are those of one run. A layout or a tarball may come in addition
// to a registry, a daemon or a cluster of kind's only alone.
type destinations struct {
	main            destination
	layout, tarball *destination
	layoutPath      string
}

// destinationsOf reads options that upstream has completed.
func destinationsOf(opts *options.PublishOptions) destinations {
	switch {
	case opts.Local:
		return destinations{main: daemon()}
	case strings.HasPrefix(opts.DockerRepo, publish.KindDomain):
		return destinations{main: kindNodes()}
	}
	d := destinations{main: destination{opts.DockerRepo,
		"check that KO_DOCKER_REPO names a registry that is reachable and that you may push to (ko login)"}}
	if opts.OCILayoutPath != "" {
		d.layoutPath = opts.OCILayoutPath
		d.layout = &destination{"the OCI layout " + opts.OCILayoutPath,
			"name a directory by --oci-layout-path that you may write to and that is new or holds a layout; its path has no capitals and no spaces"}
	}
	if opts.TarballFile != "" {
		d.tarball = &destination{"the tarball " + opts.TarballFile,
			"name a file by --tarball that you may write to; it takes images of one platform"}
	}
	return d
}

func daemon() destination {
	name := "the container daemon"
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		name += " at " + host
	}
	return destination{name,
		"start Docker, or name by DOCKER_HOST where a daemon with its API listens; " +
			"without a daemon, set KO_DOCKER_REPO to the registry to push images to, and call ko without -L"}
}

func kindNodes() destination {
	cluster := cmp.Or(os.Getenv("KIND_CLUSTER_NAME"), "kind")
	return destination{fmt.Sprintf("the nodes of kind cluster %q", cluster),
		"check that `kind get clusters` shows it, or name another one by KIND_CLUSTER_NAME; " +
			"kind needs docker, podman or nerdctl on PATH, and its daemon"}
}

// of returns the destination that a failed publication is about. An error of a
// layout names its directory or one above it.
func (d destinations) of(err error) destination {
	if d.layout != nil && isAbout(err, d.layoutPath) {
		return *d.layout
	}
	if d.tarball != nil && strings.Contains(err.Error(), "result as image") { // An index, by upstream.
		return *d.tarball
	}
	return d.main
}

// isAbout says whether an error is one of a file at or above path, or has the
// path in its text.
func isAbout(err error, path string) bool {
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		within, outside := filepath.Rel(file.Path, path)
		above := outside == nil && filepath.IsLocal(within)
		return above || strings.HasPrefix(filepath.Clean(file.Path), filepath.Clean(path)+string(filepath.Separator))
	}
	return strings.Contains(err.Error(), path)
}
