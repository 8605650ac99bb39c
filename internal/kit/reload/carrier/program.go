package carrier

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/koshop/koshop/internal/kit/goinstall"
	"github.com/koshop/koshop/internal/kit/program"
)

// The supervisor is a command of the module that ko is of itself, so that both are of
// one version and speak one protocol.
const (
	module     = "github.com/koshop/koshop"
	importPath = module + "/cmd/live-reload"
)

// executable returns the supervisor's executable for a platform. That of a released ko
// is compiled once, in a version of its own; that of a ko that was built in a checkout
// is compiled from there, for as long as that is there.
func executable(ctx context.Context, run func(*exec.Cmd) error, goos, goarch, scratch string) ([]byte, error) {
	path, err := "", error(nil)
	if dir, found := checkout(); found {
		path = filepath.Join(scratch, strings.Join([]string{"live-reload", goos, goarch}, "-"))
		err = compile(ctx, run, dir, goos, goarch, path)
	} else if version := ownVersion(); version != "" {
		path, err = goinstall.Command{ImportPath: importPath, Version: version}.Executable(ctx, run, goos, goarch)
	} else {
		err = errors.New("this ko was built in a checkout that is no longer around it, and is of no released version: build it again in a checkout, " +
			"or install a version by `go install " + module + "/cmd/ko@latest`")
	}
	if err != nil {
		return nil, fmt.Errorf("making the supervisor of live reload: %w", err)
	}
	return os.ReadFile(path)
}

// checkout returns the root of the module's checkout that this program lies in.
func checkout() (dir string, found bool) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return "", false
	}
	for dir = filepath.Dir(self); ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, modfile.ModulePath(text) == module
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}

// ownVersion returns the version of ko's module, "" if it is not one that others can
// get.
func ownVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == module && m.Version != "(devel)" && !strings.Contains(m.Version, "+dirty") {
			return m.Version
		}
	}
	return ""
}

func compile(ctx context.Context, run func(*exec.Cmd) error, dir, goos, goarch, to string) error {
	cmd := exec.CommandContext(ctx, program.GoTool(), "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", to, "./cmd/live-reload")
	cmd.Dir, cmd.Env = dir, goinstall.Environment(goos, goarch)
	return goinstall.Run(run, cmd, goos, goarch)
}
