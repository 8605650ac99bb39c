package program

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/mod/modfile"
)

// module is a Go module whose files are there to be edited.
type module struct {
	path string // as its go.mod has it
	dir  string // absolute
}

const goMod = "go.mod"

// moduleAt returns the module that a directory is in: that of the nearest go.mod
// in the directory or above it.
func moduleAt(dir string) (module, bool, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return module{}, false, err
	}
	for {
		m, found, err := readModule(dir)
		if found || err != nil {
			return m, found, err
		}
		if dir == filepath.Dir(dir) {
			return module{}, false, nil
		}
		dir = filepath.Dir(dir)
	}
}

// readModule reads the go.mod of a directory, if it has one. One that is broken
// may have no path: the go tool says best what is wrong with it.
func readModule(dir string) (module, bool, error) {
	file := filepath.Join(dir, goMod)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return module{}, false, nil
	}
	if err != nil {
		return module{}, false, fmt.Errorf("reading a module: %w", err)
	}
	return module{modfile.ModulePath(text), dir}, true, nil
}

// importPath returns the import path of a directory of the module.
func (m module) importPath(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(m.dir, dir)
	return path.Join(m.path, filepath.ToSlash(relative)), err
}

// mayHold reports whether the module's path is the beginning of an import path.
func (m module) mayHold(importPath string) bool {
	return m.path != "" && (importPath == m.path || strings.HasPrefix(importPath, m.path+"/"))
}

// packageDir returns where an import path of the module is.
func (m module) packageDir(importPath string) string {
	return filepath.Join(m.dir, filepath.FromSlash(strings.TrimPrefix(importPath, m.path)))
}

// holds reports whether an import path is a directory of the module, and not one
// of another module below it.
func (m module) holds(importPath string) bool {
	if !m.mayHold(importPath) {
		return false
	}
	dir := m.packageDir(importPath)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return false
	}
	nearest, found, err := moduleAt(dir)
	return err == nil && found && nearest.dir == m.dir
}

// moduleOf returns the module that an import path belongs to, of those below the
// working directory, or else of those of the repository around it.
func moduleOf(here, importPath string) (module, error) {
	places := []string{here}
	if root := Repository(here); root != "" && root != here {
		places = append(places, root)
	}
	for _, place := range places {
		m, err := moduleBelow(place, importPath)
		switch {
		case m.dir != "":
			return m, err
		case err != nil:
			return m, fmt.Errorf("%w; %w", err, errNotFound)
		}
	}
	return module{}, errNotFound
}

// moduleBelow returns the module with the longest path among those that hold an
// import path. Two copies of it are an error, and so is a go.mod without a module
// if there is no other.
func moduleBelow(root, importPath string) (module, error) {
	var best module
	var double, broken error
	root += string(filepath.Separator) + "." // Of a root that is a link, what it leads to is walked.
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		dir, isModule := moduleDir(file, entry)
		switch {
		case err != nil:
			return nil // What cannot be read has no module of ours.
		case file != root && skipped(entry.Name()):
			return skip(entry)
		case !isModule:
			return nil
		}
		m, found, err := readModule(dir)
		switch {
		case err != nil || !found:
			return err
		case m.path == "":
			broken = fmt.Errorf("%s names no module", filepath.Join(dir, goMod))
		case !m.holds(importPath) || len(m.path) < len(best.path):
		case m.path == best.path && !sameFile(best.dir, m.dir):
			double = fmt.Errorf("%s and %s are both module %s: say which one in .ko.yaml, by an entry under builds with dir and main", best.dir, m.dir, m.path)
		case m.path != best.path:
			best, double = m, nil
		}
		return nil
	})
	if best.dir == "" && err == nil {
		err = broken
	}
	return best, errors.Join(err, double)
}

// moduleDir returns the directory that an entry of a walk may make a module: that of
// a go.mod, or what a link leads to.
func moduleDir(file string, entry fs.DirEntry) (dir string, isModule bool) {
	switch {
	case entry == nil || entry.IsDir():
		return "", false
	case entry.Name() == goMod:
		return filepath.Dir(file), true
	}
	return file, entry.Type()&fs.ModeSymlink != 0
}

// skip returns what ends the walk below an entry.
func skip(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// skipped tells the names of directories that hold no modules of their own: those
// that the go tool skips, and those of dependencies.
func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor" || name == "node_modules"
}

// Repository returns the directory of the repository that dir is in, "" if it is
// in none.
func Repository(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}
