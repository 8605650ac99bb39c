package program

import (
	"path"

	"github.com/google/ko/pkg/build"
)

// Program is a command of a Go module.
type Program struct {
	// ImportPath is the whole path of its main package, without ko://.
	ImportPath string

	dir      string       // of the go tool, relative to the working directory
	entry    build.Config // in .ko.yaml; empty if it has none
	settings *Settings
}

// Name returns the name that `go install` gives the program: the last element of
// the import path, or the one before if the last is a major version.
func (p *Program) Name() string { return Name(p.ImportPath) }

// Name returns the name that `go install` gives the program of an import path,
// which example.com/web/v2 and example.com/web share: web
// (https://pkg.go.dev/cmd/go#hdr-Compile_and_install_packages_and_dependencies).
func Name(importPath string) string {
	last := path.Base(importPath)
	if parent := path.Dir(importPath); parent != "." && isMajorVersion(last) {
		return path.Base(parent)
	}
	return last
}

// isMajorVersion reports whether an element of a path is v2 or higher.
func isMajorVersion(element string) bool {
	if len(element) < 2 || element[0] != 'v' || element[1] == '0' || element == "v1" {
		return false
	}
	for _, digit := range element[1:] {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	return true
}
