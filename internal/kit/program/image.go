package program

import (
	"slices"

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
