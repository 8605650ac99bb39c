// Package build is the stage that turns an import path into an image. The work
// is upstream ko's; here its errors gain the thing they are about and a remedy.
package build

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands/options"
	"golang.org/x/sync/semaphore"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/program"
)

// Builder builds the images of import paths.
type Builder struct {
	// pulls is the context in which images pull layers of their base, which they
	// do when the layers are asked for: often after Build, as late as when the
	// publisher is closed.
	pulls    context.Context
	settings *program.Settings
	bases    *base.Images
	target   program.Target
	slots    *semaphore.Weighted
	data     sync.Map // what was found of each import path: program.Data
}

// New returns a builder with these settings and base images. The context must live until
// all images are published and the publisher is closed.
func New(ctx context.Context, settings *program.Settings, bases *base.Images) (*Builder, error) {
	target, err := settings.ImageTarget()
	if err != nil {
		return nil, err
	}
	// What upstream refuses is refused before the first compilation.
	if err := settings.CheckPlatforms(); err != nil {
		return nil, fmt.Errorf("setting up the build: %w", err)
	}
	if _, err = common(&settings.Options); err != nil {
		return nil, fmt.Errorf("setting up the build: %w", err)
	}
	return &Builder{pulls: ctx, settings: settings, bases: bases, target: target, slots: semaphore.NewWeighted(settings.Jobs())}, nil
}

// Check says why an import path, scheme included, cannot become an image: no
// module here has it, it is no command, or its data cannot be taken. It costs a
// `go list`, no compilation.
func (b *Builder) Check(ctx context.Context, importPath string) error {
	recipe, _, err := b.recipe(ctx, importPath)
	if err == nil {
		_, err = recipe.BuildArgs(ctx) // Templates may be wrong.
	}
	if err == nil {
		_, err = b.findData(ctx, recipe)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be built: %w", importPath, err)
	}
	return nil
}

func (b *Builder) recipe(ctx context.Context, reference string) (*program.Recipe, *program.Program, error) {
	p, err := b.settings.Find(ctx, reference)
	if err != nil {
		return nil, nil, err
	}
	recipe, err := p.Recipe(ctx, b.target)
	return recipe, p, err
}

// findData returns the data that belongs into the image. It fails if the package is
// no command.
func (b *Builder) findData(ctx context.Context, recipe *program.Recipe) (program.Data, error) {
	if known, found := b.data.Load(recipe.ImportPath); found {
		return known.(program.Data), nil
	}
	dir, err := recipe.MainDir(ctx)
	if err != nil {
		return program.Data{}, err
	}
	data, err := program.FindData(dir)
	if err == nil {
		b.data.Store(recipe.ImportPath, data)
	}
	return data, err
}

// Qualify returns the import path, scheme included, of the program that a reference
// such as ./cmd/web names.
func (b *Builder) Qualify(ctx context.Context, path string) (string, error) {
	_, p, err := b.recipe(ctx, path)
	if err != nil {
		return "", fmt.Errorf("%s cannot be built: %w", path, err)
	}
	return build.StrictScheme + p.ImportPath, nil
}

// Build compiles the program of an import path, scheme included, for each platform
// and lays the executable and its data on the base image. It may be called
// concurrently; --jobs bounds how many images are built at once.
func (b *Builder) Build(ctx context.Context, importPath string) (build.Result, error) {
	if err := b.slots.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("building %s: %w", importPath, context.Cause(ctx))
	}
	defer b.slots.Release(1)
	recipe, p, err := b.recipe(ctx, importPath)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", importPath, err)
	}
	image, err := b.build(ctx, recipe, p)
	if err == nil {
		return image, nil
	}
	return nil, explain(ctx, importPath, recipe, p, err)
}

func (b *Builder) build(ctx context.Context, recipe *program.Recipe, p *program.Program) (build.Result, error) {
	data, err := b.findData(ctx, recipe)
	if err != nil {
		return nil, err
	}
	if data.Linked {
		return b.buildStaged(ctx, recipe, p, data)
	}
	if err := recipe.CheckCache(false); err != nil {
		return nil, err
	}
	image, err := b.buildWith(ctx, p, p.ImageOptions())
	if err != nil && strings.Contains(err.Error(), "contains no Go files") {
		// Upstream looks for the data without the build tags of the settings.
		return b.buildStaged(ctx, recipe, p, data)
	}
	return image, err
}

// buildStaged has upstream see another directory than the program's own.
func (b *Builder) buildStaged(ctx context.Context, recipe *program.Recipe, p *program.Program, data program.Data) (build.Result, error) {
	if err := recipe.CheckCache(true); err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "ko-data-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	opts, err := p.StagedOptions(ctx, recipe, data, scratch)
	if err != nil {
		return nil, err
	}
	return b.buildWith(ctx, p, opts)
}

func (b *Builder) buildWith(ctx context.Context, p *program.Program, opts *options.BuildOptions) (build.Result, error) {
	ko, err := b.upstream(p, opts)
	if err != nil {
		return nil, err
	}
	return ko.Build(ctx, build.StrictScheme+p.ImportPath)
}

// explain adds what a failed build is about and what to do.
func explain(ctx context.Context, importPath string, recipe *program.Recipe, p *program.Program, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("building %s: %w", importPath, context.Cause(ctx))
	}
	if isRegistryError(err) {
		setting := "defaultBaseImage in .ko.yaml, or KO_DEFAULTBASEIMAGE,"
		image, own := p.BaseImage()
		if own {
			setting = "its entry under baseImageOverrides in .ko.yaml"
		}
		return fmt.Errorf("building %s: the base image %s cannot be fetched: %w\n"+
			"set %s to an image that this machine can pull", importPath, image, err, setting)
	}
	if output, failed := compilerOutput(err); failed {
		if args, expandErr := recipe.BuildArgs(ctx); expandErr == nil {
			return recipe.CompileError(importPath, args, output)
		}
	}
	return fmt.Errorf("building %s: %w", importPath, err)
}

// isRegistryError tells a failed pull of the base image, the only thing a build
// asks of the network itself, from everything else.
func isRegistryError(err error) bool {
	var refused *transport.Error
	var unreachable *url.Error
	return errors.As(err, &refused) || errors.As(err, &unreachable)
}

// compilerOutput returns what the go tool printed, if a build failed by that:
// upstream writes "go build: exit status 1: OUTPUT".
func compilerOutput(err error) (output string, failed bool) {
	exit, isExit := errors.AsType[*exec.ExitError](err)
	if !isExit {
		return "", false
	}
	_, output, failed = strings.Cut(err.Error(), "go build: "+exit.Error()+": ")
	return output, failed
}
