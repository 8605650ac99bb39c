package build

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands"
	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/program"
)

// upstream returns upstream's builder for the image of one program. What upstream's
// command makes of its options is in gobuildOptions of
// https://github.com/google/ko/blob/v0.19.1/pkg/commands/resolver.go, which nobody else can
// call without getting a view of the base image, and a .ko.yaml read again, with each
// builder.
func (b *Builder) upstream(p *program.Program, opts *options.BuildOptions) (build.Interface, error) {
	list, err := b.optionsOf(p, opts)
	if err != nil {
		return nil, fmt.Errorf("setting up the build: %w", err)
	}
	ko, err := build.NewGobuilds(b.pulls, opts.WorkingDirectory, opts.BuildConfigs, list...)
	if err != nil {
		return nil, fmt.Errorf("setting up the build: %w", err)
	}
	return ko, nil
}

// optionsOf translates options that [program.Program.ImageOptions] has made: flags, ldflags
// and the environment are in the program's own configuration.
func (b *Builder) optionsOf(p *program.Program, opts *options.BuildOptions) ([]build.Option, error) {
	list, err := common(opts)
	if err != nil {
		return nil, err
	}
	return append(list,
		build.WithPlatforms(b.settings.ImagePlatforms()...),
		build.WithBaseImages(func(context.Context, string) (name.Reference, build.Result, error) {
			image, _ := p.BaseImage()
			return b.bases.Get(image)
		})), nil
}

// common returns the options that images of a run have in common.
func common(opts *options.BuildOptions) ([]build.Option, error) {
	list := []build.Option{
		build.WithDefaultEnv(opts.DefaultEnv),
		build.WithDefaultFlags(opts.DefaultFlags),
		build.WithDefaultLdflags(opts.DefaultLdflags),
		build.WithJobs(opts.ConcurrentBuilds),
		build.WithTrimpath(opts.Trimpath),
		build.WithConfig(opts.BuildConfigs),
	}
	for variable, with := range map[string]func(v1.Time) build.Option{
		"SOURCE_DATE_EPOCH": build.WithCreationTime, "KO_DATA_DATE_EPOCH": build.WithKoDataCreationTime,
	} {
		moment, err := momentOf(variable)
		if err != nil {
			return nil, err
		}
		if moment != nil {
			list = append(list, with(*moment))
		}
	}
	if opts.DisableOptimizations || opts.Debug { // Delve needs it.
		list = append(list, build.WithDisabledOptimizations())
	}
	if opts.Debug {
		list = append(list, build.WithDebugger())
	}
	if opts.SBOM == "none" {
		list = append(list, build.WithDisabledSBOM())
	} else {
		list = append(list, build.WithSPDX(commands.Version))
	}
	if opts.SBOMDir != "" {
		list = append(list, build.WithSBOMDir(opts.SBOMDir))
	}
	if opts.User != "" {
		list = append(list, build.WithUser(opts.User))
	}
	marks, err := marksOf(opts)
	return append(list, marks...), err
}

// marksOf returns the labels and the annotations.
func marksOf(opts *options.BuildOptions) ([]build.Option, error) {
	var list []build.Option
	for _, label := range opts.Labels {
		key, value, ok := strings.Cut(label, "=")
		if !ok {
			return nil, fmt.Errorf("invalid label flag: %s", label)
		}
		list = append(list, build.WithLabel(key, value))
	}
	for _, annotation := range opts.Annotations {
		key, value, ok := strings.Cut(annotation, "=")
		if !ok {
			return nil, fmt.Errorf("missing '=' in annotation: %s", annotation)
		}
		list = append(list, build.WithAnnotation(key, value))
	}
	return list, nil
}

// momentOf reads a variable that has the number of seconds since 1970
// (https://reproducible-builds.org/specs/source-date-epoch/), or returns nil.
func momentOf(variable string) (*v1.Time, error) {
	text := os.Getenv(variable)
	if text == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the environment variable %s should be the number of seconds since January 1st 1970, 00:00 UTC, got: %w", variable, err)
	}
	return &v1.Time{Time: time.Unix(seconds, 0)}, nil
}
