package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	gobuild "go/build"

	"github.com/google/ko/pkg/build"
)

// errNotFound ends what is said of an import path that no module here has.
var errNotFound = errors.New("it must name a main package that `go build` finds from this directory")

// Find returns the program that a reference names: an import path such as
// example.com/shop/cmd/web, or a directory such as ./cmd/web, with or without
// ko://. Both names of a program have the same result, which is kept until
// [Settings.Forget]. Whether the package is a command is not looked at: see
// [Program.MainDir].
func (s *Settings) Find(ctx context.Context, reference string) (*Program, error) {
	name := strings.TrimPrefix(reference, build.StrictScheme)
	s.mu.Lock()
	known := s.found[name]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	p, err := s.find(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", reference, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found[name] = p
	return p, nil
}

// Forget makes the next Find of a reference look for the program anew. Modules
// may have been moved.
func (s *Settings) Forget(reference string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.found, strings.TrimPrefix(reference, build.StrictScheme))
}

func (s *Settings) find(ctx context.Context, name string) (*Program, error) {
	importPath, module := name, module{}
	if isDirectory(name) {
		var err error
		if importPath, module, err = s.qualify(name); err != nil {
			return nil, err
		}
	}
	p := &Program{ImportPath: importPath, settings: s}
	if entry, found := s.Options.BuildConfigs[importPath]; found {
		p.entry, p.dir = entry, entry.Dir
		return p, nil
	}
	var err error
	p.dir, err = s.directory(ctx, importPath, module)
	return p, err
}

// isDirectory tells a directory from an import path, as the go tool does.
func isDirectory(name string) bool { return gobuild.IsLocalImport(name) || filepath.IsAbs(name) }

// qualify returns the import path of a directory, and the module that it is in.
func (s *Settings) qualify(dir string) (string, module, error) {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.workingDirectory(), dir)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", module{}, fmt.Errorf("there is no such directory; %w", errNotFound)
	case err != nil:
		return "", module{}, err
	case !info.IsDir():
		return "", module{}, fmt.Errorf("it is a file: name its directory, %s", path.Dir(filepath.ToSlash(dir)))
	}
	m, found, err := moduleAt(dir)
	if err != nil {
		return "", m, err
	}
	if !found {
		return "", m, errors.New("it is in no Go module: there is no go.mod in it or above it")
	}
	importPath, err := m.importPath(dir)
	return importPath, m, err
}

// directory returns where the go tool finds an import path that has no build
// configuration: the working directory if it is found from there, as upstream
// has it; else the directory of its module.
func (s *Settings) directory(ctx context.Context, importPath string, known module) (string, error) {
	here, err := filepath.Abs(s.workingDirectory())
	if err != nil {
		return "", err
	}
	main, found, err := moduleAt(here)
	if err != nil {
		return "", err
	}
	if found && main.holds(importPath) || s.lists(ctx, importPath) {
		return ".", nil
	}
	if known.dir == "" {
		if known, err = moduleOf(here, importPath); err != nil {
			return "", err
		}
	}
	if err := s.checkWorkspace(ctx, known); err != nil {
		return "", err
	}
	return filepath.Rel(here, known.dir)
}

// lists reports whether the go tool finds an import path from the working
// directory: in a workspace, in a replaced module, or in the module cache.
func (s *Settings) lists(ctx context.Context, importPath string) bool {
	cmd := exec.CommandContext(ctx, GoTool(), "list", "-find", "-f={{.Dir}}", "--", importPath)
	var dir strings.Builder
	cmd.Dir, cmd.Stdout = s.workingDirectory(), &dir
	return s.run(cmd) == nil && strings.TrimSpace(dir.String()) != ""
}
