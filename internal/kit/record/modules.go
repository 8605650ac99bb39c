package record

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/koshop/koshop/internal/kit/golist"
	"github.com/koshop/koshop/internal/kit/program"
)

// findModules adds the files that decide which version of a package is compiled.
func (f *finder) findModules(context.Context) error {
	for _, m := range f.localModules() {
		for _, file := range []string{"go.mod", "go.sum", "vendor/modules.txt"} {
			f.addFile(Module, f.prefix(m)+file, filepath.Join(m.Dir, filepath.FromSlash(file)))
		}
	}
	for _, p := range f.packages.Local() {
		f.noteNoModule(p.Dir, p.ModuleDir())
		if m := p.Module; m != nil && m.Dir == "" {
			f.addFile(Module, "vendor/modules.txt", filepath.Join(p.ModuleDir(), "modules.txt"))
		}
	}
	for _, p := range f.packages {
		if m := p.Module; m != nil {
			f.addVersion(m)
		}
	}
	f.noteMainModule()
	f.addWorkspace()
	return f.noteReplacements()
}

// noteReplacements notes the go.mod of each directory that takes the place of a module,
// even if the program has no package of it: it has a say in the versions of others.
func (f *finder) noteReplacements() error {
	var modules []string
	for _, m := range f.localModules() {
		modules = append(modules, m.Dir)
	}
	if work := f.env["GOWORK"]; work != "" && work != "off" {
		file, err := modfile.ParseWork(work, readFile(work), nil)
		if err != nil {
			return unknown("%v", err)
		}
		f.noteDirectories(filepath.Dir(work), file.Replace)
		modules = append(modules, program.WorkspaceModules(work)...) // Also those that the program has no package of.
	}
	for _, module := range modules {
		name := filepath.Join(module, "go.mod")
		file, err := modfile.Parse(name, readFile(name), nil) // ParseLax leaves replacements out.
		if err != nil {
			return unknown("%v", err)
		}
		f.noteDirectories(module, file.Replace)
	}
	return nil
}

func (f *finder) noteDirectories(from string, replacements []*modfile.Replace) {
	for _, r := range replacements {
		dir := r.New.Path
		if r.New.Version != "" {
			continue
		}
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(from, dir)
		}
		f.snapshot.note(f.look, content, filepath.Join(dir, "go.mod"))
	}
}

// readFile returns what a file has; what cannot be read was noted as such already.
func readFile(name string) []byte {
	text, _ := os.ReadFile(name)
	return text
}

// addVersion adds what an executable says of a module that it has packages of.
func (f *finder) addVersion(m *golist.Module) {
	version := m.Version
	if m.Replace != nil {
		version += " => " + m.Replace.Path + " " + m.Replace.Version
	}
	f.add(Module, m.Path, version)
}

// noteMainModule notes which go.mod is the nearest to where the go tool is run.
func (f *finder) noteMainModule() {
	for dir := range ancestors(f.dir) {
		if f.snapshot.note(f.look, content, filepath.Join(dir, "go.mod")) != absent {
			return
		}
	}
}

// noteNoModule notes that no directory below a module, on the way down to another one,
// begins a module of its own.
func (f *finder) noteNoModule(from, module string) {
	for dir := from; dir != module && len(dir) > len(module); dir = filepath.Dir(dir) {
		f.snapshot.note(f.look, content, filepath.Join(dir, "go.mod"))
	}
}

// addWorkspace adds the go.work file that counts and those of its modules, and notes
// where another one would count.
func (f *finder) addWorkspace() {
	for dir := range ancestors(f.dir) {
		f.snapshot.note(f.look, form, filepath.Join(dir, "go.work"))
	}
	file := f.env["GOWORK"]
	if file == "" || file == "off" {
		return
	}
	f.addFile(Module, "go.work", file)
	f.addFile(Module, "go.work.sum", strings.TrimSuffix(file, ".work")+".work.sum")
	f.snapshot.note(f.look, content, filepath.Join(filepath.Dir(file), "vendor", "modules.txt"))
	for _, dir := range program.WorkspaceModules(file) {
		name, err := filepath.Rel(filepath.Dir(file), dir)
		if err != nil {
			name = dir
		}
		for _, base := range []string{"go.mod", "go.sum"} {
			f.addFile(Module, filepath.ToSlash(filepath.Join(name, base)), filepath.Join(dir, base))
		}
	}
}
