// Package delve makes Delve, the debugger for Go, for the platform of a pod.
package delve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/program"
)

// Version of Delve. One supports the last three versions of Go.
const Version = "v1.27.2"

const module = "github.com/go-delve/delve/cmd/dlv@" + Version

// Executable returns the path of a static executable of Delve in the user's cache
// directory, and compiles it if it is not there yet, which takes the module from
// where the go tool takes modules. The go tool runs as one of tools.
func Executable(ctx context.Context, tools *process.Group, goos, goarch string) (string, error) {
	path, err := Cached(goos, goarch)
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
	installed, err := install(ctx, tools, goos, goarch, scratch)
	if err != nil {
		return "", fmt.Errorf("compiling Delve for %s/%s: %w", goos, goarch, err)
	}
	return path, os.Rename(installed, path)
}

// Cached returns where the executable is, with an error if it is not there, which
// is [fs.ErrNotExist] if nothing but that is wrong.
func Cached(goos, goarch string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("looking for a directory to keep Delve in: %w", err)
	}
	path := filepath.Join(cache, "ko", "delve", strings.Join([]string{"dlv", Version, goos, goarch}, "-"))
	_, err = os.Stat(path)
	return path, err
}

// install runs `go install`, which compiles a version of a module whatever module
// one is in, and puts the executables of other platforms below GOPATH only.
func install(ctx context.Context, tools *process.Group, goos, goarch, gopath string) (string, error) {
	modules, err := exec.CommandContext(ctx, program.GoTool(), "env", "GOMODCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMODCACHE: %w", err)
	}
	cmd := exec.CommandContext(ctx, program.GoTool(), "install", "-trimpath", "-ldflags=-s -w", module)
	cmd.Env = append(os.Environ(), "GOPATH="+gopath, "GOMODCACHE="+strings.TrimSpace(string(modules)),
		"GOBIN=", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := tools.Run(cmd); err != nil {
		return "", fmt.Errorf("CGO_ENABLED=0 GOOS=%s GOARCH=%s go install %s: %w\n%s", goos, goarch, module, err, strings.TrimSpace(output.String()))
	}
	for _, name := range []string{"dlv", filepath.Join(goos+"_"+goarch, "dlv")} {
		if path := filepath.Join(gopath, "bin", name); exists(path) {
			return path, nil
		}
	}
	return "", errors.New("`go install` wrote no executable")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
