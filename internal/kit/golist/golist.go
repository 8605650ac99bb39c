// Package golist asks the go tool which packages a program is made of.
package golist

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/program"
)

// Packages are what `go list -deps` says of a command: its dependencies first,
// itself last.
type Packages []*Package

// Package has the fields that are asked of `go list`; see `go help list`.
type Package struct {
	Dir        string
	ImportPath string
	Name       string
	Standard   bool
	Module     *Module
	Error      *struct{ Err string }

	GoFiles, CgoFiles, CFiles, CXXFiles, MFiles, HFiles, FFiles []string
	SFiles, SwigFiles, SwigCXXFiles, SysoFiles                  []string
	EmbedPatterns, EmbedFiles                                   []string

	// These are left out of the build, until they are changed.
	IgnoredGoFiles, IgnoredOtherFiles []string
}

// Module is the module of a package; see `go help list`.
type Module struct {
	Path    string
	Version string
	Dir     string
	Replace *Module
}

// Read runs `go list` on the program of the recipe, as it is compiled. Broken code is
// listed as far as it goes. The go tool is run by run, which must do what
// [exec.Cmd.Run] does.
func Read(ctx context.Context, recipe *program.Recipe, run func(*exec.Cmd) error) (Packages, error) {
	cmd := recipe.GoList(ctx, append(recipe.ListArgs("-e", "-deps", "-json="+fields()), recipe.ImportPath)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := run(cmd); err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, program.Tidy(recipe.Dir, stderr.String()))
	}
	var packages Packages
	for decoder := json.NewDecoder(&stdout); ; {
		p := new(Package)
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading what `go list` says: %w", err)
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		return nil, errors.New("`go list` finds nothing")
	}
	return packages, nil
}

// fields names the fields of Package; `go list` is faster without the rest.
func fields() string {
	var names []string
	for field := range reflect.TypeFor[Package]().Fields() {
		names = append(names, field.Name)
	}
	return strings.Join(names, ",")
}

// Command returns the package of the command itself.
func (l Packages) Command() *Package { return l[len(l)-1] }

// CheckCommand refuses what can never become an executable, however its code
// is changed.
func (l Packages) CheckCommand() error {
	p, failure := l.Command(), ""
	if p.Error != nil {
		failure = p.Error.Err
	}
	return program.CheckCommand(p.Dir, p.Name, failure)
}

// Local lists the packages whose files are there to be edited: all but those
// of Go itself and of the module cache.
func (l Packages) Local() []*Package {
	return slices.DeleteFunc(slices.Clone(l), func(p *Package) bool { return !p.IsLocal() })
}

// IsLocal reports whether the files of the package are there to be edited.
func (p *Package) IsLocal() bool {
	return p.Dir != "" && !p.Standard && (!p.Module.isCached() || p.isVendored())
}

// isCached reports whether the module has a version, and with it a place in the
// module cache. The main modules and those replaced by a directory have none.
func (m *Module) isCached() bool {
	switch {
	case m == nil:
		return false
	case m.Replace != nil:
		return m.Replace.Version != ""
	}
	return m.Version != ""
}

// isVendored reports whether the package was found in a vendor directory: its
// module is known by name only.
func (p *Package) isVendored() bool { return p.Module != nil && p.Module.Dir == "" }

// ModuleDir returns the directory of the module's go.mod, or for a vendored
// package that of vendor/modules.txt.
func (p *Package) ModuleDir() string {
	switch {
	case p.Module == nil:
		return p.Dir
	case p.isVendored():
		return strings.TrimSuffix(p.Dir, string(filepath.Separator)+filepath.FromSlash(p.ImportPath))
	}
	return p.Module.Dir
}

// Files lists what the package is compiled of, by absolute path; embedded files are not
// among it.
func (p *Package) Files() []string {
	names := slices.Concat(p.GoFiles, p.CgoFiles, p.CFiles, p.CXXFiles, p.MFiles, p.HFiles, p.FFiles,
		p.SFiles, p.SwigFiles, p.SwigCXXFiles, p.SysoFiles)
	for i, name := range names {
		names[i] = filepath.Join(p.Dir, name)
	}
	return names
}

// Missing lists where packages would be that are imported from local modules
// and not there: a branch may be half checked out.
func (l Packages) Missing() []string {
	var dirs []string
	for _, p := range l {
		if p.Dir != "" || p.Standard {
			continue
		}
		for _, near := range l.Local() {
			if m := near.Module; m != nil && m.Dir != "" && strings.HasPrefix(p.ImportPath, m.Path+"/") {
				dirs = append(dirs, filepath.Join(m.Dir, filepath.FromSlash(p.ImportPath[len(m.Path)+1:])))
			}
		}
	}
	return dirs
}

// Embedded lists the files that the package embeds, by absolute path.
func (p *Package) Embedded() []string {
	files := make([]string, len(p.EmbedFiles))
	for i, name := range p.EmbedFiles {
		files[i] = filepath.Join(p.Dir, filepath.FromSlash(name))
	}
	return files
}
