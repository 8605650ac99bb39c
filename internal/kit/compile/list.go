package compile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/program"
)

// listing is what `go list -deps` says of a command: its dependencies first,
// itself last.
type listing []*goPackage

// goPackage has the fields that are asked of `go list`; see `go help list`.
type goPackage struct {
	Dir        string
	ImportPath string
	Name       string
	Standard   bool
	Module     *goModule
	Error      *struct{ Err string }

	GoFiles, CgoFiles, CFiles, CXXFiles, MFiles, HFiles, FFiles []string
	SFiles, SwigFiles, SwigCXXFiles, SysoFiles                  []string
	EmbedPatterns                                               []string
}

type goModule struct {
	Path    string
	Version string
	Dir     string
	Replace *goModule
}

// list runs `go list` on the program, as it is compiled. Broken code is listed as
// far as it goes.
func (c *Compiler) list(ctx context.Context, recipe *program.Recipe) (listing, error) {
	cmd := recipe.GoList(ctx, append(recipe.ListArgs("-e", "-deps", "-json="+listFields()), recipe.ImportPath)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := c.tools.Run(cmd); err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, program.Tidy(recipe.Dir, stderr.String()))
	}
	var packages listing
	for decoder := json.NewDecoder(&stdout); ; {
		p := new(goPackage)
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

// listFields names the fields of goPackage; `go list` is faster without the rest.
func listFields() string {
	var names []string
	for field := range reflect.TypeFor[goPackage]().Fields() {
		names = append(names, field.Name)
	}
	return strings.Join(names, ",")
}

func (l listing) command() *goPackage { return l[len(l)-1] }

// checkCommand refuses what can never become an executable, however its code
// is changed.
func (l listing) checkCommand() error {
	p, failure := l.command(), ""
	if p.Error != nil {
		failure = p.Error.Err
	}
	return program.CheckCommand(p.Dir, p.Name, failure)
}

// local lists the packages whose files are there to be edited: all but those
// of Go itself and of the module cache.
func (l listing) local() []*goPackage {
	return slices.DeleteFunc(slices.Clone(l), func(p *goPackage) bool {
		return p.Dir == "" || p.Standard || p.Module.cached() && !p.vendored()
	})
}

// cached reports whether the module has a version, and with it a place in the
// module cache. The main modules and those replaced by a directory have none.
func (m *goModule) cached() bool {
	switch {
	case m == nil:
		return false
	case m.Replace != nil:
		return m.Replace.Version != ""
	}
	return m.Version != ""
}

// vendored reports whether the package was found in a vendor directory: its
// module is known by name only.
func (p *goPackage) vendored() bool { return p.Module != nil && p.Module.Dir == "" }

// moduleDir returns the directory of the module's go.mod, or for a vendored
// package that of vendor/modules.txt.
func (p *goPackage) moduleDir() string {
	switch {
	case p.Module == nil:
		return p.Dir
	case p.vendored():
		return strings.TrimSuffix(p.Dir, string(filepath.Separator)+filepath.FromSlash(p.ImportPath))
	}
	return p.Module.Dir
}

// files lists what the package is compiled of, by absolute path.
func (p *goPackage) files() []string {
	names := slices.Concat(p.GoFiles, p.CgoFiles, p.CFiles, p.CXXFiles, p.MFiles, p.HFiles, p.FFiles,
		p.SFiles, p.SwigFiles, p.SwigCXXFiles, p.SysoFiles)
	for i, name := range names {
		names[i] = filepath.Join(p.Dir, name)
	}
	return names
}

// missing lists where packages would be that are imported from local modules
// and not there: a branch may be half checked out.
func (l listing) missing() []string {
	var dirs []string
	for _, p := range l {
		if p.Dir != "" || p.Standard {
			continue
		}
		for _, near := range l.local() {
			if m := near.Module; m != nil && m.Dir != "" && strings.HasPrefix(p.ImportPath, m.Path+"/") {
				dirs = append(dirs, filepath.Join(m.Dir, filepath.FromSlash(p.ImportPath[len(m.Path)+1:])))
			}
		}
	}
	return dirs
}
