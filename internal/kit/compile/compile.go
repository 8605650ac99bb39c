// Package compile turns an import path into an executable, for this machine or
// for the images' platform. It compiles what `ko build` would put into the image, with the same settings,
// and finds the files that the executable is made of.
//
// Upstream ko exports neither the one nor the other for a single import path,
// so its rules are written again here: those of pkg/build/gobuild.go and
// pkg/build/gobuilds.go of github.com/google/ko v0.19.1. Two things differ by
// intent: the platform is this machine's whatever --platform, GOOS and GOARCH
// say, unless ForImages is called, and an import path without a build configuration of its own is always
// compiled in the working directory, where upstream takes the directory of any
// configuration there is.
package compile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/ko/pkg/commands/options"
	"golang.org/x/sync/semaphore"

	"github.com/koshop/koshop/internal/kit/koyaml"
	"github.com/koshop/koshop/internal/kit/process"
)

// Compiler compiles import paths. It may be used concurrently.
type Compiler struct {
	tools        *process.Group
	scratch      string
	options      options.BuildOptions
	settingsFile string
	slots        *semaphore.Weighted
	goos, goarch string
	linking      []string // ldflags in addition
	ownPaths     bool     // the executable names source files as this machine does
}

// New reads the build settings: upstream's options, completed from .ko.yaml and
// the KO_… environment. They are read once; a change needs a new Compiler. The
// go tool runs as one of tools, which must live as long as the Compiler, and
// works in a directory of its own below scratch, which is left behind when it is
// killed.
func New(opts *options.BuildOptions, tools *process.Group, scratch string) (*Compiler, error) {
	c := &Compiler{tools: tools, scratch: scratch, options: *opts, goos: runtime.GOOS, goarch: runtime.GOARCH}
	if err := c.options.LoadConfig(); err != nil {
		return nil, koyaml.Explain(c.options.WorkingDirectory, err)
	}
	var err error
	if c.settingsFile, err = filepath.Abs(koyaml.File(c.options.WorkingDirectory)); err != nil {
		return nil, fmt.Errorf("finding the build configuration: %w", err)
	}
	jobs := c.options.ConcurrentBuilds
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	c.slots = semaphore.NewWeighted(int64(jobs))
	return c, nil
}

// ForImages returns a compiler for the platform of the images: the first of
// --platform, or of defaultPlatforms in .ko.yaml, or linux/amd64.
func (c *Compiler) ForImages() (*Compiler, error) {
	list := firstSet(c.options.Platforms, c.options.DefaultPlatforms, []string{"linux/amd64"})
	platform, err := v1.ParsePlatform(list[0])
	if err != nil || platform.OS == "" || platform.Architecture == "" {
		return nil, fmt.Errorf("platform %q: expected one such as linux/amd64, in --platform or under defaultPlatforms in .ko.yaml", list[0])
	}
	other := *c
	other.goos, other.goarch = platform.OS, platform.Architecture
	return &other, nil
}

// ForReload returns a compiler whose executables link fastest, because they have
// neither a symbol table nor debug information. All else is as it is in the
// image; where that has neither as well, it is the same executable.
func (c *Compiler) ForReload() *Compiler {
	other := *c
	other.linking = []string{"-s", "-w"}
	return &other
}

// ForDebugging returns a compiler whose executables a debugger can follow line
// by line, and whose source files it finds on this machine without being told
// where they are.
func (c *Compiler) ForDebugging() *Compiler {
	other := *c
	other.linking = []string{"-s=0", "-w=0"} // Whatever stands before.
	other.options.DisableOptimizations = true
	other.ownPaths = true
	return &other
}

// Platform returns the operating system and the architecture that are compiled
// for, as GOOS and GOARCH name them.
func (c *Compiler) Platform() (goos, goarch string) { return c.goos, c.goarch }

// SettingsFile returns the absolute path of the file that holds the settings,
// .ko.yaml as a rule, whether it exists or not.
func (c *Compiler) SettingsFile() string { return c.settingsFile }

// Compile builds an import path, scheme included, into the file out. A failed
// compilation is a *[CompileError]; another error says what else is wrong, such
// as an import path that is no command. Cancelling the context kills the
// go tool and its compilers. At most --jobs compilations run at once.
func (c *Compiler) Compile(ctx context.Context, importPath, out string) error {
	err := c.slots.Acquire(ctx, 1)
	if err == nil {
		defer c.slots.Release(1)
		err = c.compile(ctx, importPath, out)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var failed *CompileError
	if err == nil || errors.As(err, &failed) {
		return err
	}
	return fmt.Errorf("compiling %s: %w", importPath, err)
}

func (c *Compiler) compile(ctx context.Context, importPath, out string) error {
	s, err := c.settings(importPath)
	if err != nil {
		return err
	}
	args, err := s.buildArgs(ctx)
	if err != nil {
		return err
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	// On the file system of out, the finished executable only needs to be renamed.
	scratch, err := os.MkdirTemp(c.scratch, "go-build-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	cmd := s.goTool(ctx, append(append([]string{"build"}, args...), "-o", out, s.path)...)
	cmd.Env = append(cmd.Env, "GOTMPDIR="+scratch)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := s.run(cmd); err != nil {
		return s.explain(ctx, importPath, args, err, output.String())
	}
	return refuseLibrary(out)
}

// explain tells a failed compilation from an import path that is none, and
// from a go tool that cannot be run.
func (s *settings) explain(ctx context.Context, importPath string, args []string, err error, output string) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("%w; install Go, or name the go tool in %s", err, goBinary)
	}
	if packages, err := s.list(ctx, args); err == nil {
		if err := packages.checkCommand(); err != nil {
			return err
		}
	}
	return &CompileError{ImportPath: importPath, Output: tidy(s.dir, output), Command: s.command(args)}
}

// refuseLibrary rejects what `go build -o` makes of a package other than main:
// an archive.
func refuseLibrary(out string) error {
	const archive = "!<arch>\n"
	head := make([]byte, len(archive))
	file, err := os.Open(out)
	if err != nil {
		return err
	}
	_, err = io.ReadFull(file, head)
	file.Close()
	if err != nil {
		return fmt.Errorf("reading what `go build` wrote: %w", err)
	}
	if string(head) != archive {
		return nil
	}
	return errors.Join(errNotCommand, os.Remove(out))
}
