package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// goBinary names the environment variable with the go tool to use.
const goBinary = "KO_GO_PATH"

// Target is what a program is compiled for.
type Target struct {
	Platform v1.Platform
	// Local tells that the platform is this machine's, whatever the environment says.
	Local bool
	// Debugging makes an executable that a debugger can follow line by line, and
	// whose source files it finds on this machine without being told where they are.
	Debugging bool
}

// Here returns the target of processes of this machine.
func Here() Target {
	return Target{Platform: v1.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH}, Local: true}
}

// Recipe is how a program is compiled for a target.
type Recipe struct {
	ImportPath string
	Dir        string   // where the go tool runs
	Env        []string // the whole environment; of two values the later one counts
	Flags      []string // of `go build` and `go list`

	platform v1.Platform
	ldflags  []string // templates
	added    []string // more ldflags, unless they are there
	run      func(*exec.Cmd) error
}

// Recipe decides how the program is compiled, as upstream's configForImportPath,
// buildOne, buildEnv and createBuildArgs do.
func (p *Program) Recipe(ctx context.Context, target Target) (*Recipe, error) {
	entry := p.resolved(target.Debugging)
	r := &Recipe{
		ImportPath: p.ImportPath, Dir: filepath.Join(p.settings.workingDirectory(), p.dir),
		platform: target.Platform, ldflags: entry.Ldflags, run: p.settings.run,
	}
	if err := r.setEnv(target, entry.Env); err != nil {
		return nil, err
	}
	var err error
	if r.Flags, err = r.expand(ctx, entry.Flags); err != nil {
		return nil, fmt.Errorf("the build flags of .ko.yaml: %w", err)
	}
	if target.Debugging {
		r.Flags = append(r.Flags, "-trimpath=false")
		r.added = []string{"-s=0", "-w=0"} // Whatever stands before.
	}
	if err := refuseToolexec(r.Flags); err != nil {
		return nil, err
	}
	return r, r.checkWorkspace()
}

func (r *Recipe) setEnv(target Target, configured []string) error {
	platform, err := platformVars(target.Platform)
	if err != nil {
		return err
	}
	r.Env = slices.Concat([]string{"CGO_ENABLED=0"}, platform, os.Environ(), configured)
	if target.Local {
		r.Env = append(r.Env, platform...)
	}
	return checkEnv(r.Env)
}

// checkEnv refuses an environment that upstream refuses.
func checkEnv(env []string) error {
	for _, entry := range env {
		name, value, ok := strings.Cut(entry, "=")
		if !ok {
			return fmt.Errorf("%q is no environment variable; write NAME=VALUE under env in .ko.yaml", entry)
		}
		if name != "GOFLAGS" {
			continue
		}
		if err := refuseToolexec(SplitFlags(value)); err != nil {
			return fmt.Errorf("GOFLAGS: %w", err)
		}
	}
	return nil
}

// refuseToolexec keeps a configuration file from running other programs.
func refuseToolexec(flags []string) error {
	for _, flag := range flags {
		if name, _, _ := strings.Cut(flag, "="); name == "-toolexec" || name == "--toolexec" {
			return errors.New("-toolexec is not allowed; remove it")
		}
	}
	return nil
}

// BuildArgs returns the flags of `go build`.
func (r *Recipe) BuildArgs(ctx context.Context) ([]string, error) {
	if len(r.ldflags)+len(r.added) == 0 {
		return r.Flags, nil
	}
	ldflags, err := r.expand(ctx, r.ldflags)
	if err != nil {
		return nil, fmt.Errorf("the ldflags of .ko.yaml or --ldflags: %w", err)
	}
	if others, found := lastValue(r.AllFlags(), "ldflags"); found && len(ldflags) == 0 {
		ldflags = []string{others} // What is added would take their place.
	}
	there := strings.Fields(strings.Join(ldflags, " "))
	for _, flag := range r.added {
		if !slices.Contains(there, flag) {
			ldflags = append(ldflags, flag)
		}
	}
	return append(slices.Clip(r.Flags), "-ldflags="+strings.Join(ldflags, " ")), nil
}

// Platform returns what the program is compiled for, such as linux/amd64.
func (r *Recipe) Platform() string { return r.platform.String() }

// Vars returns the environment by name.
func (r *Recipe) Vars() map[string]string {
	vars := make(map[string]string, len(r.Env))
	for _, entry := range r.Env {
		name, value, _ := strings.Cut(entry, "=")
		vars[name] = value
	}
	return vars
}

// GoTool returns a call of the go tool in the directory and the environment of
// the compilation.
func (r *Recipe) GoTool(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, GoTool(), args...)
	cmd.Dir, cmd.Env = r.Dir, r.Env
	return cmd
}

// GoList returns a call of `go list` for the compilation. The paths that it prints
// go by the working directory's own name, even if that is a link.
func (r *Recipe) GoList(ctx context.Context, args ...string) *exec.Cmd {
	cmd := r.GoTool(ctx, args...)
	if dir, err := filepath.Abs(r.Dir); err == nil {
		cmd.Env = append(cmd.Env, "PWD="+dir)
	}
	return cmd
}

// Command returns the compilation with these flags as a line for a shell in the
// working directory. It writes no executable.
func (r *Recipe) Command(args []string) string {
	var words []string
	for _, entry := range r.difference() {
		name, value, _ := strings.Cut(entry, "=")
		words = append(words, name+"="+shellescape.Quote(value))
	}
	build := []string{GoTool(), "build"}
	if r.Dir != "." {
		build = append(build, "-C", r.Dir)
	}
	build = append(append(build, args...), "-o", os.DevNull, r.ImportPath)
	return strings.Join(append(words, shellescape.QuoteCommand(build)), " ")
}

// difference returns the variables of the compilation that a shell does not have
// with the same value. The go tool compiles for this machine by default.
func (r *Recipe) difference() []string {
	byDefault := map[string]string{"GOOS": runtime.GOOS, "GOARCH": runtime.GOARCH}
	vars, said := r.Vars(), map[string]bool{}
	var differ []string
	for _, entry := range r.Env {
		name, _, _ := strings.Cut(entry, "=")
		shell, set := os.LookupEnv(name)
		if !set {
			shell, set = byDefault[name], byDefault[name] != ""
		}
		if !said[name] && (!set || shell != vars[name]) {
			differ = append(differ, name+"="+vars[name])
		}
		said[name] = true
	}
	return differ
}

// GoTool returns the path of the go tool: KO_GO_PATH, as upstream has it, or go.
func GoTool() string {
	if path := os.Getenv(goBinary); path != "" {
		return path
	}
	return "go"
}
