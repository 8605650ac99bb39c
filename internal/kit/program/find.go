package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	gobuild "go/build"

	"github.com/google/ko/pkg/build"
)

// errNotFound ends what is said of an import path that no module here has.
var errNotFound = errors.New("name a main package that `go build` finds from this directory")

// Find returns the program that a reference names: an import path such as
// example.com/shop/cmd/web, or a directory such as ./cmd/web, with or without
// ko://. A directory is compiled where it is, whatever other copies of its module
// there are. The result is kept until [Settings.Forget]. Whether the package is a
// command is not looked at: see [Recipe.MainDir].
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
	if s.found[p.ImportPath] == nil { // Its import path means the same program from now on.
		s.found[p.ImportPath] = p
	}
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
	if name == "" || name == "all" || name == "std" || name == "cmd" || strings.Contains(name, "...") {
		return nil, fmt.Errorf("it is not one program; %w", errNotFound)
	}
	if isDirectory(name) {
		return s.findDirectory(ctx, name)
	}
	p := &Program{ImportPath: name, settings: s}
	if entry, found := s.Options.BuildConfigs[name]; found {
		p.entry, p.dir = entry, entry.Dir
		return p, nil
	}
	here, err := filepath.Abs(s.workingDirectory())
	if err != nil {
		return nil, err
	}
	p.dir, err = s.directory(ctx, here, name)
	return p, err
}

// findDirectory returns the program of a directory. Its module decides where it is
// compiled, unless the go tool finds the same directory from where upstream starts it.
func (s *Settings) findDirectory(ctx context.Context, name string) (*Program, error) {
	dir, m, err := s.module(name)
	if err != nil {
		return nil, err
	}
	p := &Program{settings: s}
	if p.ImportPath, err = m.importPath(dir); err != nil {
		return nil, err
	}
	here, err := filepath.Abs(s.workingDirectory())
	if err != nil {
		return nil, err
	}
	if entry, found := s.Options.BuildConfigs[p.ImportPath]; found && s.leads(ctx, filepath.Join(here, entry.Dir), p.ImportPath, dir) {
		p.entry, p.dir = entry, entry.Dir
		return p, nil
	}
	if p.dir = "."; s.leads(ctx, here, p.ImportPath, dir) {
		return p, nil
	}
	p.dir, err = relative(here, m.dir)
	return p, err
}

// leads reports whether the go tool, run in a directory, finds an import path in
// the directory that is meant.
func (s *Settings) leads(ctx context.Context, from, importPath, dir string) bool {
	if m, found, err := moduleAt(from); err == nil && found && m.holds(importPath) {
		return sameFile(m.packageDir(importPath), dir)
	}
	found, _ := s.list(ctx, from, importPath)
	return found != "" && sameFile(found, dir)
}

// isDirectory tells a directory from an import path, as the go tool does.
func isDirectory(name string) bool { return gobuild.IsLocalImport(name) || filepath.IsAbs(name) }

// module returns the absolute path of a directory, and the module that it is in.
func (s *Settings) module(dir string) (string, module, error) {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.workingDirectory(), dir)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", module{}, err
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", module{}, fmt.Errorf("there is no such directory; %w", errNotFound)
	case err != nil:
		return "", module{}, err
	case !info.IsDir():
		return "", module{}, fmt.Errorf("it is a file: name its directory, %s", filepath.Dir(dir))
	}
	m, found, err := moduleAt(dir)
	if err == nil && !found {
		err = errors.New("it is in no Go module: there is no go.mod in it or above it")
	}
	return dir, m, err
}

// directory returns where the go tool finds an import path that has no build
// configuration: the working directory if it is found from there, as upstream
// has it; else the directory of its module.
func (s *Settings) directory(ctx context.Context, here, importPath string) (string, error) {
	main, found, err := moduleAt(here)
	if err != nil {
		return "", err
	}
	if found && main.holds(importPath) {
		return ".", nil
	}
	dir, complaint := s.list(ctx, here, importPath)
	if dir != "" {
		return ".", nil
	}
	m, err := moduleOf(here, importPath)
	switch {
	case errors.Is(err, errNotFound) && complaint != "":
		return "", fmt.Errorf("%s; %w", complaint, err)
	case err != nil:
		return "", err
	}
	return relative(here, m.dir)
}

// relative returns a directory relative to another one. Where that leads upwards,
// links on the way are followed first: the kernel takes ".." of what they lead to.
func relative(from, to string) (string, error) {
	short, err := filepath.Rel(from, to)
	if err != nil || filepath.IsLocal(short) {
		return short, err
	}
	if from, err = filepath.EvalSymlinks(from); err != nil {
		return "", err
	}
	if to, err = filepath.EvalSymlinks(to); err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}

// list returns where the go tool finds an import path from a directory: in a
// workspace, in a replaced module, or in the module cache. If it does not, it
// returns what the go tool says about that, unless there is no module at all.
func (s *Settings) list(ctx context.Context, from, importPath string) (dir, complaint string) {
	args := []string{"list", "-find", "-f={{.Dir}}"}
	if slices.Contains(SplitFlags(os.Getenv("GOFLAGS")), "-mod=mod") {
		args = append(args, "-mod=readonly") // To look must not change go.mod.
	}
	cmd := exec.CommandContext(ctx, GoTool(), append(args, "--", importPath)...)
	var stdout, stderr strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = from, &stdout, &stderr
	if s.run(cmd) == nil {
		return strings.TrimSpace(stdout.String()), ""
	}
	if strings.Contains(stderr.String(), "go.mod file not found") {
		return "", ""
	}
	return "", strings.TrimPrefix(strings.TrimSpace(stderr.String()), "go: ")
}
