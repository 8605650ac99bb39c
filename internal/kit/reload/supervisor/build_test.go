//go:build unix

package supervisor_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// buildSupervisor compiles the supervisor, with the race detector if RACE is not empty. It
// is in the supervisor and not in the test, since it is the supervisor that is tested.
func (p *pod) buildSupervisor() {
	p.t.Helper()
	var flags []string
	if os.Getenv("RACE") != "" {
		flags = []string{"-race"}
		p.t.Cleanup(func() {
			if strings.Contains(p.output.String(), "WARNING: DATA RACE") {
				p.t.Errorf("%s", &p.output)
			}
		})
	}
	p.goBuild("live-reload", "../../../../cmd/live-reload", flags...)
}

// build compiles a version of the program that behaves in a certain way.
func (p *pod) build(version, behaviour string) string {
	p.t.Helper()
	return p.goBuild(version, "./testdata/program", "-ldflags=-X main.version="+version+" -X main.behaviour="+behaviour)
}

// goBuild compiles a package as ko does, and puts the executable into the pod's
// directory under a name. What was compiled for another test with the same flags is not
// linked again.
func (p *pod) goBuild(name, pkg string, flags ...string) string {
	p.t.Helper()
	args := append(append([]string{"build", "-trimpath"}, flags...), pkg)
	executable, err := compiled(args)
	if err != nil {
		p.t.Fatal(err)
	}
	path := filepath.Join(p.bin, name)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Fatal(err)
	}
	if err := os.Link(executable, path); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// executables has what was compiled, in files named by a hash of the go command's
// arguments.
var executables string

func TestMain(m *testing.M) {
	var err error
	if executables, err = os.MkdirTemp("", "executables"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(executables)
	os.Exit(code)
}

// compiled runs a go command that compiles, unless that was done before, and returns the
// path of the executable.
func compiled(args []string) (path string, err error) {
	path = filepath.Join(executables, fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(args, "\x00")))))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.Command("go", slices.Insert(slices.Clone(args), 1, "-o", path)...)
	cgo := "CGO_ENABLED=0"
	if slices.Contains(args, "-race") {
		cgo = "CGO_ENABLED=1" // The race detector needs it.
	}
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w: %s", cmd, err, out)
	}
	return path, nil
}
