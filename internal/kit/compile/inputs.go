package compile

import (
	"context"
	"fmt"
	gobuild "go/build"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/golist"
	"github.com/koshop/koshop/internal/kit/program"
)

// Inputs are the files that an executable is made of: those of packages in the
// main module, in modules of the workspace, in modules replaced by a directory,
// and vendored; not those of Go and of the module cache. They hold until a file
// changes for which Match is true, and are to be found anew then.
type Inputs struct {
	// Dir is the directory of the main package, absolute. Its kodata directory
	// is data, which the executable reads when it runs, and no input.
	Dir string

	dirs     map[string]bool // to watch
	packages map[string]bool // the directories among them whose files are compiled
	files    map[string]bool // what was compiled, to notice when one is removed, and links on the way to it
	targets  map[string]bool // those of files that count though they stand elsewhere: links lead to them
	embeds   []golist.Embed
	platform gobuild.Context
}

// Inputs finds what the executable of the program is made of that a reference
// names. That works for code that does not compile, too. There are none if the
// package is gone, or go.mod is too broken to tell; what was found before is
// still worth watching then.
func (c *Compiler) Inputs(ctx context.Context, reference string) (*Inputs, error) {
	in, err := c.inputs(ctx, reference)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		c.settings.Forget(reference)
		return nil, fmt.Errorf("finding the files of %s: %w", reference, err)
	}
	return in, nil
}

func (c *Compiler) inputs(ctx context.Context, reference string) (*Inputs, error) {
	recipe, err := c.recipe(ctx, reference)
	if err != nil {
		return nil, err
	}
	packages, err := golist.Read(ctx, recipe, c.tools.Run)
	if err != nil {
		return nil, err
	}
	if err := packages.CheckCommand(); err != nil {
		return nil, err
	}
	in := newInputs(packages)
	in.addWorkspace(recipe)
	in.addFlagFiles(recipe)
	in.addRefusedData()
	in.platform = platform(recipe)
	return in, nil
}

func newInputs(packages golist.Packages) *Inputs {
	in := &Inputs{
		Dir:      packages.Command().Dir,
		dirs:     map[string]bool{},
		packages: map[string]bool{},
		files:    map[string]bool{},
		targets:  map[string]bool{},
	}
	for _, dir := range packages.Missing() {
		in.addPackage(dir)
	}
	for _, p := range packages.Local() {
		in.addPackage(p.Dir)
		in.dirs[p.ModuleDir()] = true
		for _, file := range p.Files() {
			in.files[file] = true
		}
		in.addLinks(p)
		for _, pattern := range p.EmbedPatterns {
			in.addEmbed(golist.NewEmbed(p.Dir, pattern))
		}
	}
	return in
}

func (in *Inputs) addPackage(dir string) {
	in.dirs[dir] = true
	in.packages[dir] = true
}

// addWorkspace adds the directory of the go.work file that counts, and those of its
// modules: together they decide the versions of what is imported.
func (in *Inputs) addWorkspace(recipe *program.Recipe) {
	file := recipe.Workspace()
	if file == "" {
		return
	}
	in.dirs[filepath.Dir(file)] = true
	for _, dir := range program.WorkspaceModules(file) {
		in.dirs[dir] = true
	}
}

// addFlagFiles adds the files that flags name: the one in the place of go.mod and its
// sums, replacements of sources, and a profile.
func (in *Inputs) addFlagFiles(recipe *program.Recipe) {
	for _, flag := range recipe.AllFlags() {
		name, file, _ := strings.Cut(flag, "=")
		name = strings.TrimLeft(name, "-")
		if file == "" || !slices.Contains([]string{"modfile", "overlay", "pgo"}, name) || file == "auto" || file == "off" {
			continue
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(recipe.Dir, file)
		}
		file, err := filepath.Abs(file)
		if err != nil {
			continue
		}
		in.addTarget(file)
		if name == "modfile" {
			in.addTarget(strings.TrimSuffix(file, ".mod") + ".sum")
		}
	}
}

// addTarget adds a file that counts, wherever it is.
func (in *Inputs) addTarget(file string) {
	in.files[file], in.targets[file], in.dirs[filepath.Dir(file)] = true, true, true
}

// addRefusedData adds the data of the program while it is refused: a correction of
// it must be noticed.
func (in *Inputs) addRefusedData() {
	if _, err := program.FindData(in.Dir); err != nil {
		in.addEmbed(golist.NewEmbed(in.Dir, "all:kodata"))
	}
}

func (in *Inputs) addEmbed(e golist.Embed) {
	in.embeds = append(in.embeds, e)
	for _, dir := range e.Dirs() {
		in.dirs[dir] = true
	}
}

// platform returns what decides whether a file with build constraints counts.
func platform(recipe *program.Recipe) gobuild.Context {
	env := recipe.Vars()
	platform := gobuild.Default
	platform.GOOS, platform.GOARCH = env["GOOS"], env["GOARCH"]
	platform.CgoEnabled = env["CGO_ENABLED"] == "1"
	platform.BuildTags = buildTags(recipe.AllFlags())
	return platform
}

// buildTags finds the build tags in the flags of the go tool. The last -tags
// counts.
func buildTags(flags []string) []string {
	var tags, implied []string
	for i, flag := range flags {
		name, value, inline := strings.Cut(flag, "=")
		switch name = strings.TrimLeft(name, "-"); name {
		case "tags":
			if !inline && i+1 < len(flags) {
				value = flags[i+1]
			}
			tags = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		case "race", "msan", "asan":
			implied = append(implied, name)
		}
	}
	return append(tags, implied...)
}

// Dirs returns the directories to watch, absolute and sorted. A file below one
// of them is not covered unless its own directory is listed. A directory that
// is not there is listed if the code refers to it.
func (in *Inputs) Dirs() []string { return slices.Sorted(maps.Keys(in.dirs)) }
