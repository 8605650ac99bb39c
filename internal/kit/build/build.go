// Package build is the stage that turns an import path into an image. The work
// is upstream ko's; here its errors gain the thing they are about and a remedy.
package build

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands"
	"github.com/google/ko/pkg/commands/options"
	"golang.org/x/sync/semaphore"

	"github.com/koshop/koshop/internal/kit/koyaml"
)

// Builder builds the images of import paths.
type Builder struct {
	// pulls is the context in which images pull layers of their base, which they
	// do when the layers are asked for: often after Build, as late as when the
	// publisher is closed.
	pulls   context.Context
	options options.BuildOptions
	checker build.Interface
	slots   *semaphore.Weighted
}

// New returns a builder with upstream's options, completed from .ko.yaml and
// the KO_… environment. The context must live until all images are published
// and the publisher is closed.
func New(ctx context.Context, opts *options.BuildOptions) (*Builder, error) {
	b := &Builder{pulls: ctx, options: *opts}
	if err := b.options.LoadConfig(); err != nil {
		return nil, koyaml.Explain(b.options.WorkingDirectory, err)
	}
	jobs := b.options.ConcurrentBuilds
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	b.slots = semaphore.NewWeighted(int64(jobs))
	var err error
	b.checker, err = b.upstream()
	return b, err
}

// upstream returns a builder of upstream's for one image. Images do not share
// one, because upstream's appends to a slice that its concurrent pulls of the
// base image have in common: a data race.
func (b *Builder) upstream() (build.Interface, error) {
	opts := b.options // The call below completes it.
	ko, err := commands.NewBuilder(b.pulls, &opts)
	if err != nil {
		return nil, fmt.Errorf("setting up the build: %w", err)
	}
	return ko, nil
}

// Check says why an import path, scheme included, cannot become an image: it
// is no package of the module in the working directory, or no command. It
// costs a `go list`, no compilation.
func (b *Builder) Check(importPath string) error {
	if err := b.checker.IsSupportedReference(importPath); err != nil {
		return fmt.Errorf("%s cannot be built: %w; it must name a main package that `go build` finds from this directory", importPath, err)
	}
	return nil
}

// Qualify makes a path such as ./cmd/web an import path with its scheme.
func (b *Builder) Qualify(path string) (string, error) {
	importPath, err := b.checker.QualifyImport(path)
	if err != nil {
		return "", fmt.Errorf("%s cannot be built: %w", path, err)
	}
	return importPath, b.Check(importPath)
}

// Build compiles the import path, scheme included, for each platform and lays
// the binary on the base image. It may be called concurrently; --jobs bounds how
// many images are built at once.
func (b *Builder) Build(ctx context.Context, importPath string) (build.Result, error) {
	if err := b.slots.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("building %s: %w", importPath, context.Cause(ctx))
	}
	defer b.slots.Release(1)
	ko, err := b.upstream()
	if err != nil {
		return nil, err
	}
	image, err := ko.Build(ctx, importPath)
	if err == nil {
		return image, nil
	}
	return nil, b.explain(ctx, importPath, err)
}

// explain adds what a failed build is about and what to do.
func (b *Builder) explain(ctx context.Context, importPath string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("building %s: %w", importPath, context.Cause(ctx))
	}
	if isRegistryError(err) {
		image, setting := b.baseImage(importPath)
		return fmt.Errorf("building %s: the base image %s cannot be fetched: %w\n"+
			"set %s to an image that this machine can pull", importPath, image, err, setting)
	}
	if isCompileError(err) {
		return fmt.Errorf("building %s: %w\nto see it again: go build -o /dev/null %s",
			importPath, err, strings.TrimPrefix(importPath, build.StrictScheme))
	}
	return fmt.Errorf("building %s: %w", importPath, err)
}

// baseImage returns the base image of an import path and the setting it is from.
// Keys of .ko.yaml have lost their case.
func (b *Builder) baseImage(importPath string) (image, setting string) {
	if image := b.options.BaseImageOverrides[strings.ToLower(strings.TrimPrefix(importPath, build.StrictScheme))]; image != "" {
		return image, "its entry under baseImageOverrides in .ko.yaml"
	}
	return b.options.BaseImage, "defaultBaseImage in .ko.yaml, or KO_DEFAULTBASEIMAGE,"
}

// isRegistryError tells a failed pull of the base image, the only thing a build
// asks of the network itself, from everything else.
func isRegistryError(err error) bool {
	var refused *transport.Error
	var unreachable *url.Error
	return errors.As(err, &refused) || errors.As(err, &unreachable)
}

func isCompileError(err error) bool {
	var failed *exec.ExitError
	return errors.As(err, &failed)
}
