// Package backing runs containers whose images are not built from Go, such as
// those of databases: by a program of this machine that does the same, or by a
// container engine.
package backing

import (
	"context"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/process"
)

// Way is how the containers of an image are run here.
type Way interface {
	// Local reports whether a program of this machine runs. It has this machine's
	// files, so that paths of mounts must be replaced by their directories.
	Local() bool
	// Prepare makes what the container needs, which may take seconds, and returns
	// how to run it.
	Prepare(ctx context.Context, c Container) (*Program, error)
}

// Container is what the manifests say of one container, as it is here.
type Container struct {
	Name     string // for people
	Hostname string
	Image    string
	// Command and Args are those of the manifests, Env only its variables. All
	// have this machine's addresses, and if the way is Local its paths, too.
	Command, Args []string
	Env           map[string]string
	Inherited     []string // variables of ours that every program gets
	WorkingDir    string   // in the container; "" means the image's
	User          string   // UID, UID:GID or ""
	Ports         map[int32]int
	Mounts        []bind.Mount
	Grace         time.Duration
	// State is the directory that all volumes are below; directories in it may be
	// opened to the user as whom a program runs.
	State string
	// Private is an empty directory below it that goes when the container does.
	Private string
	Output  io.Writer // gets remarks, one line in each Write
}

// Program is how a container is run.
type Program struct {
	// Origin says what runs and where it is from: "postgresql 15.12, /usr/lib/postgresql/15/bin".
	Origin string
	// Command runs it; its Output is the caller's to set.
	Command process.Command
	// Exec returns how a command is run in the place of the container, such as
	// that of a probe. It is not to be started before the program.
	Exec func(ctx context.Context, command []string) *exec.Cmd
}

// words returns command and arguments together.
func (c Container) words() []string { return slices.Concat(c.Command, c.Args) }

// here returns where a path of the container is on this machine, false if it is
// below no mount.
func (c Container) here(inside string) (string, bool) {
	best, found := bind.Mount{}, false
	for _, m := range c.Mounts {
		if isBelow(inside, m.Inside, "/") && (!found || len(m.Inside) > len(best.Inside)) {
			best, found = m, true
		}
	}
	if !found {
		return "", false
	}
	return filepath.Join(best.Here, filepath.FromSlash(strings.TrimPrefix(path.Clean(inside), path.Clean(best.Inside)))), true
}

// directory returns the first of the paths that is the directory of a mount
// already, or that is below one; or else a directory that goes with the container.
func (c Container) directory(paths ...string) string {
	for _, path := range paths {
		if path == "" {
			continue
		}
		if slices.ContainsFunc(c.Mounts, func(m bind.Mount) bool { return isBelow(path, m.Here, string(filepath.Separator)) }) {
			return path
		}
		if at, found := c.here(path); found {
			return at
		}
	}
	return filepath.Join(c.Private, "data")
}

func isBelow(path, dir, separator string) bool {
	path, dir = strings.TrimSuffix(path, separator), strings.TrimSuffix(dir, separator)
	return dir != "" && (path == dir || strings.HasPrefix(path, dir+separator))
}

// port returns the loopback port for the one that a server listens on by
// default, or for its only one. It returns 0 if there is no such port.
func (c Container) port(usual int32) int {
	if port, found := c.Ports[usual]; found || len(c.Ports) != 1 {
		return port
	}
	for _, port := range c.Ports {
		return port
	}
	return 0
}
