package compile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/ko/pkg/build"

	"github.com/koshop/koshop/internal/kit/process"
)

// goBinary names the environment variable with the go tool to use.
const goBinary = "KO_GO_PATH"

// settings are how one import path is compiled.
type settings struct {
	tools    *process.Group
	path     string   // import path without the scheme
	dir      string   // where the go tool runs, relative to the working directory if that is
	extraEnv []string // in addition to this process's environment
	env      []string // the whole environment
	flags    []string // templates
	ldflags  []string // templates
	linking  []string // more ldflags, unless they are there
}

// settings completes the configuration of an import path as upstream's
// configForImportPath, buildOne and buildEnv do.
func (c *Compiler) settings(importPath string) (*settings, error) {
	path := strings.TrimPrefix(importPath, build.StrictScheme)
	config := c.options.BuildConfigs[path]
	s := &settings{
		tools:   c.tools,
		path:    path,
		dir:     filepath.Join(c.options.WorkingDirectory, config.Dir),
		flags:   slices.Clone(firstSet(config.Flags, c.options.DefaultFlags)),
		ldflags: firstSet(c.options.Ldflags, config.Ldflags, c.options.DefaultLdflags),
		linking: c.linking,
	}
	if c.options.Trimpath {
		s.flags = append(s.flags, "-trimpath")
	}
	if c.options.DisableOptimizations || c.options.Debug {
		s.flags = append(s.flags, "-gcflags", "all=-N -l")
	}
	if c.ownPaths {
		s.flags = append(s.flags, "-trimpath=false")
	}
	if _, set := os.LookupEnv("CGO_ENABLED"); !set {
		s.extraEnv = append(s.extraEnv, "CGO_ENABLED=0")
	}
	s.extraEnv = append(s.extraEnv, firstSet(config.Env, c.options.DefaultEnv)...)
	s.env = slices.Concat(os.Environ(), s.extraEnv, []string{"GOOS=" + c.goos, "GOARCH=" + c.goarch})
	return s, s.check()
}

// firstSet returns the first list that holds anything.
func firstSet(lists ...[]string) []string {
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// check refuses an environment that upstream refuses.
func (s *settings) check() error {
	for _, entry := range s.env {
		name, value, ok := strings.Cut(entry, "=")
		if !ok {
			return fmt.Errorf("%q is no environment variable; write NAME=VALUE under env in .ko.yaml", entry)
		}
		if name != "GOFLAGS" {
			continue
		}
		if err := refuseToolexec(strings.Fields(value)); err != nil {
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

// listFlags returns the flags that bear on which files are compiled.
func (s *settings) listFlags(ctx context.Context) ([]string, error) {
	flags, err := s.expand(ctx, s.flags)
	if err != nil {
		return nil, fmt.Errorf("the build flags of .ko.yaml: %w", err)
	}
	return flags, refuseToolexec(flags)
}

// buildArgs returns the flags of `go build`, as upstream's createBuildArgs does.
func (s *settings) buildArgs(ctx context.Context) ([]string, error) {
	args, err := s.listFlags(ctx)
	if err != nil || len(s.ldflags)+len(s.linking) == 0 {
		return args, err
	}
	ldflags, err := s.expand(ctx, s.ldflags)
	if err != nil {
		return nil, fmt.Errorf("the ldflags of .ko.yaml or --ldflags: %w", err)
	}
	there := strings.Fields(strings.Join(ldflags, " "))
	for _, flag := range s.linking {
		if !slices.Contains(there, flag) {
			ldflags = append(ldflags, flag)
		}
	}
	return append(args, "-ldflags="+strings.Join(ldflags, " ")), nil
}

// vars returns the environment by name.
func (s *settings) vars() map[string]string {
	vars := make(map[string]string, len(s.env))
	for _, entry := range s.env {
		name, value, _ := strings.Cut(entry, "=")
		vars[name] = value
	}
	return vars
}

// run runs a call of the go tool; it ends with its context, and with us.
func (s *settings) run(cmd *exec.Cmd) error { return s.tools.Run(cmd) }

// goTool returns a call of the go tool in the directory and the environment of
// the compilation.
func (s *settings) goTool(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, GoTool(), args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// GoTool returns the path of the go tool: KO_GO_PATH, as upstream has it, or go.
func GoTool() string {
	if path := os.Getenv(goBinary); path != "" {
		return path
	}
	return "go"
}
