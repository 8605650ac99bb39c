package compile_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/ko/pkg/commands/options"
)

// linked is a repository in which parts of a program are behind links.
func linked(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(write(t, map[string]string{
		".git/HEAD":         "ref\n",
		"app/go.mod":        "module example.com/app\n\ngo 1.26\n",
		"app/web/main.go":   "package main\n\nimport _ \"example.com/app/internal/x\"\n\nfunc main() { greet() }\n",
		"shared/greet.go":   "package main\n\nfunc greet() {}\n",
		"shared/x/x.go":     "package x\n",
		"shared/far/far.go": "package main\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"app/web/greet.go":    "../../links/greet.go",     // a link to a link
		"links/greet.go":      "../shared/greet.go",       //
		"app/internal/x":      "../../links/x",            // a linked directory, by another link
		"links/x":             "../shared/x",              //
		"app/web/far.go":      "../../links/far/far.go",   // a file behind a linked directory
		"links/far":           "../shared/far",            //
		"app/go.sum":          "../shared/go.sum",         // a file of the module, which is not there yet
		"app/web/unused.json": "../../shared/unused.json", //
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(dir, "app"))
	return dir
}

// What a link leads to is watched, and so is each link on the way.
func TestInputsFollowLinks(t *testing.T) {
	dir := linked(t)
	in, err := newCompiler(t, options.BuildOptions{}).Inputs(t.Context(), "./web")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{
		"app/web/main.go", "app/web/greet.go", "links/greet.go", "shared/greet.go",
		"app/internal/x/x.go", "app/internal/x/new.go", "app/internal/x", "links/x", "shared/x", "shared/x/x.go", "shared/x/new.go",
		"app/web/far.go", "links/far", "shared/far/far.go", "shared/go.sum",
	} {
		file = filepath.Join(dir, file)
		if !in.Match(file) {
			t.Errorf("a change of %s does not count", file)
		}
		if !slices.Contains(in.Dirs(), filepath.Dir(file)) {
			t.Errorf("the directory of %s is not watched", file)
		}
	}
	for _, file := range []string{"shared/other.go", "shared/far/other.go", "links/other", "shared/unused.json", "app/web/unused.json"} {
		if in.Match(filepath.Join(dir, file)) {
			t.Errorf("a change of %s counts", file)
		}
	}
	roots := in.Roots()
	for _, root := range []string{"app/web", "shared/x", "shared/greet.go", "shared/far/far.go"} {
		if !slices.Contains(roots, filepath.Join(dir, root)) {
			t.Errorf("%s is not among the roots %q", root, roots)
		}
	}
}
