// Package settings reads what a team types each time that it runs an overlay on a
// laptop, from a file beside the kustomization.
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/koshop/koshop/internal/kit/watch"
)

// FileName is that of the file, in the directory of the kustomization.
const FileName = "ko-up.yaml"

// Settings are what the file says; the zero value says nothing.
type Settings struct {
	Port     int               // of the front door; 0 if it does not say
	Watch    watch.Mode        // "" if it does not say
	Services map[string]string // where Services are that run elsewhere, as --service has it
	// Workloads are the environments of workloads, by the names that the command
	// line takes.
	Workloads map[string]Workload
	// Files are the absolute paths of all that was read, or looked for.
	Files []string
}

// Workload is what the file says of one workload.
type Workload struct {
	// Env wins over the environment in the manifests. It has the variables of
	// the file envFile, too, over which those under env win.
	Env map[string]string
	// Where says where it stands: "config/ko-up.yaml, line 7: workloads.web".
	Where string
}

// Read reads the file in a directory. There are no settings if the directory,
// such as a remote kustomization, or the file does not exist. An error names file,
// line and field; what was read, and has to be watched, is returned all the same.
func Read(dir string) (*Settings, error) {
	s := &Settings{}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return s, nil
	}
	path := filepath.Join(dir, FileName)
	absolute, err := filepath.Abs(path)
	if err != nil {
		return s, fmt.Errorf("looking for %s: %w", path, err)
	}
	s.Files = []string{absolute}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading the settings: %w", err)
	}
	d := &decoder{path: path, settings: s}
	return s, d.decode(content)
}
