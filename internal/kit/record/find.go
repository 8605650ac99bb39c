package record

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/kit/golist"
	"github.com/koshop/koshop/internal/kit/program"
)

// finder finds the inputs of one program.
type finder struct {
	look     *Look
	recipe   *program.Recipe
	dir      string // of the go tool, absolute
	flags    []string
	env      map[string]string // by the go tool
	packages golist.Packages
	snapshot *Snapshot
	inputs   []Input
}

// Find finds what the executable of the program and its data are made of, as the recipe
// compiles it, and what was looked at to find that. It returns [Unknown] if that cannot
// be said for certain.
func (l *Look) Find(ctx context.Context, recipe *program.Recipe) (Inputs, *Snapshot, error) {
	dir, err := filepath.Abs(recipe.Dir)
	if err != nil {
		return nil, nil, err
	}
	f := &finder{look: l, recipe: recipe, dir: dir, snapshot: newSnapshot()}
	for _, step := range []func(context.Context) error{
		f.findToolchain, f.findFlags, f.findPackages, f.findModules, f.findRepository, f.findData,
	} {
		if err := step(ctx); err != nil {
			return nil, nil, fmt.Errorf("finding the inputs of %s: %w", recipe.ImportPath, err)
		}
	}
	if text, found := f.snapshot.unreadable(); found {
		return nil, nil, fmt.Errorf("finding the inputs of %s: %w", recipe.ImportPath, unknown("%s", text))
	}
	return newInputs(f.inputs), f.snapshot, nil
}

func (f *finder) add(kind Kind, name, value string) {
	f.inputs = append(f.inputs, Input{kind, name, value})
}

// addFile adds a file by its content. It does not have to be there.
func (f *finder) addFile(kind Kind, name, path string) {
	f.add(kind, name, f.snapshot.note(f.look, content, path))
}

// findPackages adds the files of all packages.
func (f *finder) findPackages(ctx context.Context) error {
	var err error
	if f.packages, err = golist.Read(ctx, f.recipe, f.look.run); err != nil {
		return err
	}
	if err := f.packages.CheckCommand(); err != nil {
		return err
	}
	for _, p := range f.packages {
		switch {
		case p.Error != nil:
			return unknown("%s", p.Error.Err)
		case len(p.CgoFiles)+len(p.SwigFiles)+len(p.SwigCXXFiles) > 0:
			return unknown("package %s is compiled with a C compiler", p.ImportPath)
		case p.IsLocal():
			if err := f.addLocal(p); err != nil {
				return err
			}
		case p.ImportPath != "unsafe":
			f.addForeign(p)
		}
	}
	return nil
}

// addLocal adds a package whose files are there to be edited.
func (f *finder) addLocal(p *golist.Package) error {
	f.snapshot.note(f.look, names, p.Dir)
	for _, file := range append(p.Files(), p.Embedded()...) {
		f.addFile(File, f.name(p, file), file)
	}
	for _, file := range slices.Concat(p.IgnoredGoFiles, p.IgnoredOtherFiles) {
		f.snapshot.note(f.look, content, filepath.Join(p.Dir, file)) // Its build tags may be changed.
	}
	for _, pattern := range p.EmbedPatterns {
		for _, dir := range golist.NewEmbed(p.Dir, pattern).Dirs() {
			f.snapshot.note(f.look, names, dir)
		}
	}
	if p == f.packages.Command() {
		f.addFile(File, f.name(p, "default.pgo"), filepath.Join(p.Dir, "default.pgo"))
	}
	for _, file := range p.SFiles {
		if includes, err := includesElsewhere(filepath.Join(p.Dir, file)); err != nil || includes {
			return unknown("%s may include files of other directories", file)
		}
	}
	return nil
}

// addForeign adds a package of Go or of the module cache as a whole.
func (f *finder) addForeign(p *golist.Package) {
	var all strings.Builder
	for _, file := range append(p.Files(), p.Embedded()...) {
		name, err := filepath.Rel(p.Dir, file)
		if err != nil {
			name = file
		}
		fmt.Fprintf(&all, "%q %s\n", filepath.ToSlash(name), f.look.at(content, file))
		f.snapshot.note(f.look, stats, filepath.Dir(file))
	}
	name := p.ImportPath
	if p.Module != nil {
		name += " " + p.Module.Version
	}
	f.add(Package, name, hash(all.String()))
	f.addShadow(p)
}

// addShadow notes that there is no directory in a local module whose import path is that
// of a package of another module.
func (f *finder) addShadow(p *golist.Package) {
	for _, m := range f.localModules() {
		if rest, isBelow := strings.CutPrefix(p.ImportPath, m.Path+"/"); isBelow {
			f.snapshot.note(f.look, names, filepath.Join(m.Dir, filepath.FromSlash(rest)))
		}
	}
}

// localModules returns the modules whose files are there to be edited.
func (f *finder) localModules() []*golist.Module {
	var modules []*golist.Module
	for _, p := range f.packages.Local() {
		if m := p.Module; m != nil && m.Dir != "" && !slices.ContainsFunc(modules, func(known *golist.Module) bool { return known.Dir == m.Dir }) {
			modules = append(modules, m)
		}
	}
	return modules
}

// name returns the name of a file that is independent of where the module is.
func (f *finder) name(p *golist.Package, file string) string {
	root := p.ModuleDir()
	name, err := filepath.Rel(root, filepath.Join(p.Dir, filepath.Base(file)))
	if filepath.IsAbs(file) {
		name, err = filepath.Rel(root, file)
	}
	if err != nil {
		return file
	}
	return f.prefix(p.Module) + filepath.ToSlash(name)
}

// prefix is what distinguishes the files of a module from those of the command's.
func (f *finder) prefix(m *golist.Module) string {
	main := f.packages.Command().Module
	switch {
	case m == nil || main != nil && m.Path == main.Path:
		return ""
	case m.Dir == "":
		return "vendor/"
	}
	return m.Path + "/"
}
