package program

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// Workspace returns the go.work file that counts for the compilation, "" if there is
// none: that of GOWORK, or the nearest one in the directory of the go tool or above.
func (r *Recipe) Workspace() string {
	switch file := r.Vars()["GOWORK"]; {
	case file == "off":
		return ""
	case file != "":
		return file
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return ""
	}
	for {
		if file := filepath.Join(dir, "go.work"); isFile(file) {
			return file
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
		dir = filepath.Dir(dir)
	}
}

// WorkspaceModules returns the directories of the modules that a go.work file
// lists, absolute. There are none if it cannot be read.
func WorkspaceModules(file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return nil // The go tool says best what is wrong with it.
	}
	var dirs []string
	for _, use := range work.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(file), dir)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// checkWorkspace refuses a module that the workspace does not list: the go tool
// compiles nothing of it.
func (r *Recipe) checkWorkspace() error {
	file := r.Workspace()
	if file == "" {
		return nil
	}
	m, found, err := moduleAt(r.Dir)
	if err != nil || !found || !m.holds(r.ImportPath) {
		return err
	}
	dirs := WorkspaceModules(file)
	for _, dir := range dirs {
		if sameFile(dir, m.dir) {
			return nil
		}
	}
	if dirs == nil {
		return nil
	}
	return fmt.Errorf("module %s in %s is not in the workspace %s: add it there by `go work use %[2]s`, or set GOWORK=off", m.path, m.dir, file)
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}
