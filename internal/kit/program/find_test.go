package program_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/program"
)

// write puts files into a new directory, and makes it the working directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	writeInto(t, dir, files)
	t.Chdir(dir)
	return dir
}

// writeInto puts files into a directory. The content of a link is "-> TARGET".
func writeInto(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		name = filepath.Join(dir, name)
		if target, isLink := strings.CutPrefix(content, "-> "); isLink {
			link(t, target, name)
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.Symlink(target, name)); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T) *program.Settings {
	t.Helper()
	settings, err := program.Load(&options.BuildOptions{}, (*exec.Cmd).Run)
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

const main = "package main\n\nfunc main() {}\n"

// mod is a go.mod.
func mod(path string, more ...string) string {
	return "module " + path + "\n\ngo 1.26\n" + strings.Join(more, "")
}

// Every name of a program leads to the same import path, directory and build
// configuration.
func TestFind(t *testing.T) {
	services := map[string]string{
		"svca/go.mod": mod("example.com/svca"), "svca/main.go": main, "svca/cmd/job/main.go": main,
		"svcb/go.mod": mod("example.com/svcb"), "svcb/cmd/web/main.go": main,
		"deploy/kustomization.yaml": "", ".git/HEAD": "",
	}
	root := map[string]string{"go.mod": mod("example.com/app"), "cmd/web/main.go": main, "sub/go.mod": mod("example.com/app/sub"), "sub/main.go": main, "sub/cmd/job/main.go": main}
	copies := map[string]string{"a/go.mod": mod("example.com/twice"), "a/cmd/app/main.go": main, "b/go.mod": mod("example.com/twice"), "b/cmd/app/main.go": main}
	for _, test := range []struct {
		name       string
		files      map[string]string
		more       map[string]string
		in         string // working directory
		references []string
		importPath string
		dir        string
		env        string // of the build configuration; "-X" if X must not be there
	}{
		{"main module", root, nil, "", []string{"./cmd/web", "example.com/app/cmd/web", "ko://./cmd/web"}, "example.com/app/cmd/web", ".", ""},
		{"subdirectory", root, nil, "cmd", []string{"./web", "../cmd/web", "example.com/app/cmd/web"}, "example.com/app/cmd/web", ".", ""},
		{"module below", root, nil, "", []string{"./sub", "example.com/app/sub"}, "example.com/app/sub", "sub", ""},
		{"program of the module below", root, nil, "", []string{"./sub/cmd/job", "example.com/app/sub/cmd/job"}, "example.com/app/sub/cmd/job", "sub", ""},
		{"workspace", root, map[string]string{"go.work": "go 1.26\n\nuse (\n\t.\n\t./sub\n)\n"}, "", []string{"./sub", "example.com/app/sub"}, "example.com/app/sub", ".", ""},
		{"replaced module", root, map[string]string{
			"go.mod": mod("example.com/app", "\nrequire example.com/app/sub v0.0.0\n\nreplace example.com/app/sub => ./sub\n"),
		}, "", []string{"example.com/app/sub"}, "example.com/app/sub", ".", ""},
		{"a module per service", services, nil, "", []string{"./svca", "example.com/svca"}, "example.com/svca", "svca", ""},
		{"a command in one of them", services, nil, "", []string{"./svcb/cmd/web", "example.com/svcb/cmd/web"}, "example.com/svcb/cmd/web", "svcb", ""},
		{"beside them", services, nil, "deploy", []string{"../svcb/cmd/web", "example.com/svcb/cmd/web"}, "example.com/svcb/cmd/web", "../svcb", ""},
		{"entry with a directory", services, map[string]string{".ko.yaml": "builds: [{dir: svca, env: [A=1]}]\n"}, "",
			[]string{"./svca", "example.com/svca"}, "example.com/svca", "svca", "A=1"},
		{"entry of another program", services, map[string]string{".ko.yaml": "builds: [{dir: svca, env: [A=1]}]\n"}, "",
			[]string{"./svca/cmd/job", "example.com/svca/cmd/job"}, "example.com/svca/cmd/job", "svca", "-A=1"},
		{"entry in another directory", root, map[string]string{".ko.yaml": "builds: [{id: sub, dir: sub, main: .}]\n"}, "",
			[]string{"./cmd/web", "example.com/app/cmd/web"}, "example.com/app/cmd/web", ".", ""},
		{"entry by file", root, map[string]string{".ko.yaml": "builds: [{main: ./cmd/web/main.go, env: [B=2]}]\n"}, "",
			[]string{"./cmd/web", "./cmd/web/", "example.com/app/cmd/web"}, "example.com/app/cmd/web", ".", "B=2"},
		{"directory of one of two copies", copies, nil, "", []string{"./b/cmd/app", "example.com/twice/cmd/app"}, "example.com/twice/cmd/app", "b", ""},
		{"entry of the other copy", copies, map[string]string{".ko.yaml": "builds: [{dir: a, main: ./cmd/app, env: [A=1]}]\n"}, "",
			[]string{"./b/cmd/app"}, "example.com/twice/cmd/app", "b", "-A=1"},
		{"copy of the main module", root, map[string]string{"wt/feature/go.mod": mod("example.com/app"), "wt/feature/cmd/web/main.go": main}, "",
			[]string{"./wt/feature/cmd/web"}, "example.com/app/cmd/web", "wt/feature", ""},
		{"copy in vendor", root, map[string]string{
			"go.mod":             mod("example.com/app", "\nrequire example.com/app/sub v1.0.0\n"),
			"vendor/modules.txt": "# example.com/app/sub v1.0.0\n## explicit; go 1.26\nexample.com/app/sub/cmd/job\n",
			"vendor/example.com/app/sub/cmd/job/a.go": main,
		}, "", []string{"./sub/cmd/job"}, "example.com/app/sub/cmd/job", "sub", ""},
		{"module with a link for a go.mod", services, map[string]string{"svcc/main.go": main, "mods/c.mod": mod("example.com/svcc"), "svcc/go.mod": "-> ../mods/c.mod"}, "",
			[]string{"example.com/svcc", "./svcc"}, "example.com/svcc", "svcc", ""},
		{"link to a module", services, map[string]string{"zlatest": "-> svca", "alias": "-> svca"}, "", []string{"./svca", "example.com/svca"}, "example.com/svca", "svca", ""},
		{"module behind a link", services, map[string]string{"../other/go.mod": mod("example.com/other"), "../other/main.go": main, "svco": "-> ../other"}, "",
			[]string{"example.com/other", "./svco"}, "example.com/other", "svco", ""},
		{"working directory that is a link", services, map[string]string{"../link": "-> repo"}, "../link",
			[]string{"example.com/svca", "./svca"}, "example.com/svca", "svca", ""},
		{"copies in vendor, testdata and hidden directories", services, map[string]string{
			"vendor/example.com/svca/go.mod": mod("example.com/svca"), "vendor/example.com/svca/main.go": main,
			".cache/svca/go.mod": mod("example.com/svca"), ".cache/svca/main.go": main,
			"testdata/svca/go.mod": mod("example.com/svca"), "testdata/svca/main.go": main,
		}, "", []string{"example.com/svca"}, "example.com/svca", "svca", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{}
			for _, set := range []map[string]string{test.files, test.more} {
				for name, content := range set {
					files[name] = content
				}
			}
			dir := filepath.Join(t.TempDir(), "repo")
			writeInto(t, dir, files)
			t.Chdir(filepath.Join(dir, test.in))
			settings := load(t)
			for _, reference := range test.references {
				p, err := settings.Find(t.Context(), reference)
				if err != nil {
					t.Error(err)
					continue
				}
				recipe, err := p.Recipe(t.Context(), program.Here())
				if err != nil {
					t.Fatal(err)
				}
				if p.ImportPath != test.importPath || filepath.ToSlash(recipe.Dir) != test.dir {
					t.Errorf("%s is %s in %s, want %s in %s", reference, p.ImportPath, recipe.Dir, test.importPath, test.dir)
				}
				env, unwanted := strings.CutPrefix(test.env, "-")
				if env != "" && slices.Contains(recipe.Env, env) == unwanted {
					t.Errorf("%s is compiled with %s: %v", reference, env, !unwanted)
				}
				if _, err := recipe.MainDir(t.Context()); err != nil {
					t.Errorf("the go tool does not find it there: %v", err)
				}
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	dir := write(t, map[string]string{
		"a/go.mod": mod("example.com/twice"), "a/main.go": main, "b/go.mod": mod("example.com/twice"), "b/main.go": main,
		"none/main.go": main, "c/go.mod": mod("example.com/c"), "c/lib/lib.go": "package lib\n",
	})
	settings := load(t)
	for reference, want := range map[string][]string{
		"example.com/twice":     {"a and ", "b are both module example.com/twice", ".ko.yaml"},
		"example.com/nowhere":   {"finding example.com/nowhere", "main package"},
		"example.com/c/nope":    {"finding example.com/c/nope", "main package"},
		"./nope":                {"finding ./nope: there is no such directory"},
		"./none":                {"finding ./none: it is in no Go module"},
		"ko://./none/main.go":   {"it is a file: name its directory"},
		filepath.Join(dir, "x"): {"there is no such directory"},
	} {
		_, err := settings.Find(t.Context(), reference)
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v lacks %q", reference, err, part)
			}
		}
	}
}

func TestNameIsThatOfGoInstall(t *testing.T) {
	for importPath, want := range map[string]string{
		"example.com/web": "web", "example.com/web/v2": "web", "example.com/web/v10": "web", "example.com/web/v2/cmd/job": "job",
		"example.com/web/v1": "v1", "example.com/web/v0": "v0", "example.com/web/v02": "v02", "example.com/web/vet": "vet", "example.com/v": "v",
		"gopkg.in/web.v3": "web.v3", "v2": "v2", "example.com/cmd/v2ray": "v2ray",
	} {
		if got := program.Name(importPath); got != want {
			t.Errorf("%s is %s, want %s", importPath, got, want)
		}
	}
}
