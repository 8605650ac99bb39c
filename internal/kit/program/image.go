package program

import (
	"slices"
	"strings"

	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands/options"
)

// resolved returns the program's build configuration with all defaults, flags of
// the command line included. Templates in it are not filled in.
func (p *Program) resolved(debugging bool) build.Config {
	opts, entry := &p.settings.Options, p.entry
	entry.Dir = p.dir
	entry.Env = firstSet(entry.Env, opts.DefaultEnv)
	entry.Flags = slices.Clone(firstSet(entry.Flags, opts.DefaultFlags))
	entry.Ldflags = firstSet(opts.Ldflags, entry.Ldflags, opts.DefaultLdflags)
	if opts.Trimpath {
		entry.Flags = append(entry.Flags, "-trimpath")
	}
	if opts.DisableOptimizations || opts.Debug || debugging {
		entry.Flags = append(entry.Flags, "-gcflags", "all=-N -l")
	}
	return entry
}

// ImageOptions returns the options by which upstream compiles the program as
// [Program.Recipe] has it. It has one build configuration, the program's, in which
// all is decided, so that upstream has nothing to choose.
func (p *Program) ImageOptions() *options.BuildOptions {
	opts := p.settings.Options
	opts.BuildConfigs = map[string]build.Config{p.ImportPath: p.resolved(false)}
	opts.Trimpath, opts.DisableOptimizations, opts.Ldflags = false, false, nil
	return &opts
}

// BaseImage returns the base image of the program, and whether it is the program's own in
// .ko.yaml, whose keys have lost their case.
func (p *Program) BaseImage() (image string, own bool) {
	opts := &p.settings.Options
	if image := opts.BaseImageOverrides[strings.ToLower(p.ImportPath)]; image != "" {
		return image, true
	}
	return opts.BaseImage, false
}

// Capabilities returns the Linux capabilities of the executable in the image
// (https://man7.org/linux/man-pages/man7/capabilities.7.html).
func (p *Program) Capabilities() []string { return p.entry.LinuxCapabilities }
