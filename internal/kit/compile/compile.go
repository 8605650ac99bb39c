// Package compile turns a program into an executable, for this machine or for the
// images' platform, and finds the files that the executable is made of. How it is
// compiled, package program decides.
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

	"golang.org/x/sync/semaphore"

	"github.com/koshop/koshop/internal/kit/golist"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/program"
)

// Compiler compiles programs. It may be used concurrently.
type Compiler struct {
	settings *program.Settings
	tools    *process.Group
	scratch  string
	slots    *semaphore.Weighted
	target   program.Target
}

// New returns a compiler for this machine. The go tool runs as one of tools, which
// must live as long as the Compiler, and works in a directory of its own below
// scratch, which is left behind when it is killed.
func New(settings *program.Settings, tools *process.Group, scratch string) *Compiler {
	return &Compiler{
		settings: settings, tools: tools, scratch: scratch,
		slots: semaphore.NewWeighted(settings.Jobs()), target: program.Here(),
	}
}

// ForImages returns a compiler for the platform of the images.
func (c *Compiler) ForImages() (*Compiler, error) {
	other := *c
	var err error
	other.target, err = c.settings.ImageTarget()
	return &other, err
}

// ForDebugging returns a compiler whose executables a debugger can follow line
// by line, and whose source files it finds on this machine without being told
// where they are.
func (c *Compiler) ForDebugging() *Compiler {
	other := *c
	other.target.Debugging = true
	return &other
}

// Platform returns the operating system and the architecture that are compiled
// for, as GOOS and GOARCH name them.
func (c *Compiler) Platform() (goos, goarch string) {
	return c.target.Platform.OS, c.target.Platform.Architecture
}

// SettingsFiles returns the absolute paths of the files whose changes are changes of
// the settings: .ko.yaml as a rule, whether it exists or not, and what it leads to if
// it is a link.
func (c *Compiler) SettingsFiles() []string { return c.settings.Files() }

// Compile builds the program that a reference names into the file out. A failed
// compilation is a *[program.CompileError]; another error says what else is wrong, such
// as an import path that is no command. Cancelling the context kills the
// go tool and its compilers. At most --jobs compilations run at once.
func (c *Compiler) Compile(ctx context.Context, reference, out string) error {
	err := c.slots.Acquire(ctx, 1)
	if err == nil {
		defer c.slots.Release(1)
		err = c.compile(ctx, reference, out)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		c.settings.Forget(reference)
	}
	var failed *program.CompileError
	if err == nil || errors.As(err, &failed) {
		return err
	}
	return fmt.Errorf("compiling %s: %w", reference, err)
}

func (c *Compiler) compile(ctx context.Context, reference, out string) error {
	recipe, err := c.recipe(ctx, reference)
	if err != nil {
		return err
	}
	args, err := recipe.BuildArgs(ctx)
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
	cmd := recipe.GoTool(ctx, append(append([]string{"build"}, args...), "-o", out, recipe.ImportPath)...)
	cmd.Env = append(cmd.Env, "GOTMPDIR="+scratch)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := c.tools.Run(cmd); err != nil {
		return c.explain(ctx, reference, recipe, args, err, output.String())
	}
	return refuseLibrary(out)
}

func (c *Compiler) recipe(ctx context.Context, reference string) (*program.Recipe, error) {
	p, err := c.settings.Find(ctx, reference)
	if err != nil {
		return nil, err
	}
	return p.Recipe(ctx, c.target)
}

// explain tells a failed compilation from an import path that is none, and
// from a go tool that cannot be run.
func (c *Compiler) explain(ctx context.Context, reference string, recipe *program.Recipe, args []string, err error, output string) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("%w; install Go, or name the go tool in KO_GO_PATH", err)
	}
	if packages, err := golist.Read(ctx, recipe, c.tools.Run); err == nil {
		if err := packages.CheckCommand(); err != nil {
			return err
		}
	}
	return recipe.CompileError(reference, args, output)
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
	return errors.Join(program.ErrNotCommand, os.Remove(out))
}
