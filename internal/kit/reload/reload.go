// Package reload is the developer's side of live reload: it compiles a program as its
// image has it, and brings the executable into the pods that run the program, where
// a supervisor starts it in place of the one before.
//
//	reload      decides what is compiled and where it runs
//	targets     finds the containers
//	spread      goes on until all of them run the program
//	transfer    brings it into them
//	connection  leads to one
//	image       is for who deploys images: one is published when no pod takes
//	            an executable
//	parcel      packs an executable, as a rule as the difference to another
//	wire        is what both ends say to each other
//	supervisor  is the pod's side
package reload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/delve"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kube"
)

// Reload is one reload of a program.
type Reload struct {
	Reference string // of the program
	Selector  string // of the pods that run it
	Debug     bool   // run it under Delve
	// Timeout is how long pods that are starting are waited for.
	Timeout time.Duration
	// ImageFile is where the reference of an image is written, for who deploys images;
	// or "".
	ImageFile string
	// Rebuild builds that image even if nothing has changed.
	Rebuild bool
	// NoRemoteRecord keeps no record of it in the registry, and asks for none.
	NoRemoteRecord bool
	// DepsFile is where is written what the program is made of; or "".
	DepsFile   string
	Building   *options.BuildOptions
	Publishing *options.PublishOptions
	Cluster    *kube.Cluster
	Log        *progress.Log

	tools    *process.Group
	scratch  string
	settings *program.Settings
	program  *program.Program
	compiler *compile.Compiler
	library  *parcel.Library
	early    *connections // to the pods that ran when compiling began
}

// Run reloads the program, with tools that end with the call and a directory for what
// they leave behind. If no pod takes an executable, the error is a [*NoTargetsError],
// unless an image is published instead.
func (r *Reload) Run(ctx context.Context, tools *process.Group, scratch string) error {
	r.tools, r.scratch = tools, scratch
	if err := r.prepare(ctx); err != nil {
		return err
	}
	var err error
	if r.ImageFile == "" {
		err = r.runInPods(ctx)
	} else {
		err = r.runOrPublish(ctx)
	}
	return errors.Join(err, r.writeDeps(ctx))
}

// prepare finds the program, by whatever name it goes.
func (r *Reload) prepare(ctx context.Context) (err error) {
	r.Building.InsecureRegistry = r.Publishing.InsecureRegistry
	if r.settings, err = program.Load(r.Building, r.tools.Run); err != nil {
		return err
	}
	if r.program, err = r.settings.Find(ctx, r.Reference); err != nil {
		return err
	}
	r.library = parcel.UserLibrary(r.program.ImportPath)
	r.compiler, err = compile.New(r.settings, r.tools, r.scratch).ForImages()
	return err
}

// runInPods compiles the program and runs it in the pods.
func (r *Reload) runInPods(ctx context.Context) error {
	found, err := find(ctx, r.Cluster, r.Selector, r.program.ImportPath)
	if err != nil {
		return err
	}
	if found.isNone() {
		return &NoTargetsError{found}
	}
	r.early = connectAll(ctx, r.Cluster, found.running, r.library)
	defer r.early.close()
	task := r.Log.Start(r.program.Name(), "compiling")
	defer task.Stop()
	packed, err := r.pack(ctx)
	if err != nil {
		return err
	}
	defer packed.Remember()
	done, err := r.spread(ctx, packed, task)
	if err != nil {
		return err
	}
	how := ""
	if r.Debug {
		how = fmt.Sprintf(" under Delve at port %d", wire.DebugPort)
	}
	task.Done(fmt.Sprintf("runs in %s%s, %s sent", done.targets, how, kilobytes(done.sent)))
	for _, note := range done.notes {
		r.Log.Printf("%s", note)
	}
	return nil
}

// pack compiles the program and packs it.
func (r *Reload) pack(ctx context.Context) (*parcel.Parcel, error) {
	compiler := r.compiler
	if r.Debug {
		compiler = r.compiler.ForDebugging()
	}
	executable := filepath.Join(r.scratch, "program")
	if err := compiler.Compile(ctx, r.Reference, executable); err != nil {
		return nil, err
	}
	return parcel.New(executable, r.library)
}

// bringDebugger brings Delve into the pods that do not have it yet.
func (r *Reload) bringDebugger(ctx context.Context, targets []target) (*parcel.Parcel, error) {
	for _, target := range targets {
		if target.hostNetwork {
			return nil, fmt.Errorf("pod %s has the network of its node, where anybody could use the debugger: --debug is not for such pods", target.pod)
		}
	}
	goos, goarch := r.compiler.Platform()
	executable, err := delve.Command.Executable(ctx, r.tools.Run, goos, goarch)
	if err != nil {
		return nil, err
	}
	debugger, err := parcel.New(executable, parcel.UserLibrary("delve"))
	if err != nil {
		return nil, err
	}
	debugger.Remember()
	debugger.Keep()
	if err := problems(transferAll(ctx, r.Cluster, targets, debugger, nil)); err != nil {
		return nil, fmt.Errorf("sending Delve: %w", err)
	}
	return debugger, nil
}

// kilobytes writes a number of bytes for people.
func kilobytes(n int) string {
	if n < 1e6 {
		return fmt.Sprintf("%d kB", (n+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// writeDeps comes after the rest, which people wait for. What does not compile
// has dependencies too: those in which it can be put right.
func (r *Reload) writeDeps(ctx context.Context) error {
	if r.DepsFile == "" {
		return nil
	}
	roots, err := r.compiler.Roots(ctx, r.Reference)
	if err != nil {
		return err
	}
	now := strings.Join(roots, "\n") + "\n"
	if before, err := os.ReadFile(r.DepsFile); err == nil && string(before) == now {
		return nil
	}
	if err := os.WriteFile(r.DepsFile, []byte(now), 0o644); err != nil {
		return fmt.Errorf("writing down what %s is made of: %w", r.program.ImportPath, err)
	}
	return nil
}
