// Package goinstall compiles commands of other modules than the one somebody works in,
// and keeps the executables in the user's cache directory: those of a version never
// change, so that they are compiled once, and are there without a network afterwards.
package goinstall

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

	"github.com/koshop/koshop/internal/kit/program"
)

// Command is a command of a version of a module.
type Command struct {
	ImportPath string
	Version    string
}

func (c Command) name() string { return path.Base(c.ImportPath) }

// Cached returns where the executable is, with an error if it is not there, which
// is [fs.ErrNotExist] if nothing but that is wrong.
func (c Command) Cached(goos, goarch string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("looking for a directory to keep %s in: %w", c.name(), err)
	}
	path := filepath.Join(cache, "ko", "programs", strings.Join([]string{c.name(), c.Version, goos, goarch}, "-"))
	_, err = os.Stat(path)
	return path, err
}

// Executable returns the path of a static executable of the command, and compiles it
// if it is not there yet, which takes the module from where the go tool takes modules.
// The go tool is run by run.
func (c Command) Executable(ctx context.Context, run func(*exec.Cmd) error, goos, goarch string) (string, error) {
	path, err := c.Cached(goos, goarch)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(path), "install-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	installed, err := c.install(ctx, run, goos, goarch, scratch)
	if err != nil {
		return "", fmt.Errorf("compiling %s for %s/%s: %w", c.name(), goos, goarch, err)
	}
	return path, os.Rename(installed, path)
}

// install runs `go install`, which compiles a version of a module whatever module
// one is in, and puts the executables of other platforms below GOPATH only.
func (c Command) install(ctx context.Context, run func(*exec.Cmd) error, goos, goarch, gopath string) (string, error) {
	modules, err := exec.CommandContext(ctx, program.GoTool(), "env", "GOMODCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMODCACHE: %w", err)
	}
	cmd := exec.CommandContext(ctx, program.GoTool(), "install", "-trimpath", "-ldflags=-s -w", c.ImportPath+"@"+c.Version)
	cmd.Env = append(Environment(goos, goarch), "GOPATH="+gopath, "GOMODCACHE="+strings.TrimSpace(string(modules)), "GOBIN=")
	if err := Run(run, cmd, goos, goarch); err != nil {
		return "", err
	}
	for _, name := range []string{c.name(), filepath.Join(goos+"_"+goarch, c.name())} {
		if path := filepath.Join(gopath, "bin", name); exists(path) {
			return path, nil
		}
	}
	return "", errors.New("`go install` wrote no executable")
}

// Environment is that of a go tool which compiles a static executable as the module of
// the command has it, whatever the settings of the user's own are.
func Environment(goos, goarch string) []string {
	return append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
}

// Run runs a go tool. The error has what it printed, and a command that can be pasted.
func Run(run func(*exec.Cmd) error, cmd *exec.Cmd, goos, goarch string) error {
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := run(cmd); err != nil {
		return fmt.Errorf("CGO_ENABLED=0 GOOS=%s GOARCH=%s %s: %w\n%s", goos, goarch, strings.Join(cmd.Args, " "), err, strings.TrimSpace(output.String()))
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
