package compile_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/compile"
)

// shop is a workspace: a command, a package beside it, a module replaced by a
// directory and one of the workspace.
func shop() map[string]string {
	return map[string]string{
		"go.work":          "go 1.26\n\nuse ./app\nuse ./used\n",
		"replaced/go.mod":  "module example.com/replaced\n\ngo 1.26\n",
		"replaced/r/r.go":  "package r\n",
		"replaced/s/s.go":  "package s\n",
		"used/go.mod":      "module example.com/used\n\ngo 1.26\n",
		"used/used.go":     "package used\n",
		"unused/unused.go": "package unused\n",
		"app/go.mod": "module example.com/app\n\ngo 1.26\n\n" +
			"require example.com/replaced v0.0.0\n\nreplace example.com/replaced => ../replaced\n",
		"app/.ko.yaml":              "defaultFlags: ['-tags=db,cache']\n",
		"app/lib/lib.go":            "package lib\n",
		"app/lib/lib_plan9.go":      "package lib\n",
		"app/lib/lib_test.go":       "package lib\n",
		"app/other/other.go":        "package other\n",
		"app/web/kodata/index.html": "",
		"app/web/site/index.html":   "",
		"app/web/site/sub/a.html":   "",
		"app/web/site/_sub/a.html":  "",
		"app/web/all/.hidden/a":     "",
		"app/web/sql/one/up.sql":    "",
		"app/web/sql/README":        "",
		"app/web/db.go": `//go:build db

package main

import _ "example.com/replaced/r"
`,
		"app/web/nodb.go": `//go:build !db

package main

import _ "example.com/replaced/s"
`,
		"app/web/main.go": `package main

import (
	"embed"

	_ "example.com/app/lib"
	_ "example.com/used"
)

//go:embed site all:all sql/*/*.sql
var site embed.FS

func main() {}
`,
	}
}

const shopPath = "ko://example.com/app/web"

func inputs(t *testing.T) *compile.Inputs {
	t.Helper()
	in, err := newCompiler(t, options.BuildOptions{WorkingDirectory: "app"}).Inputs(t.Context(), shopPath)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestInputsDirs(t *testing.T) {
	root := write(t, shop())
	in := inputs(t)
	if want := filepath.Join(root, "app/web"); in.Dir != want {
		t.Errorf("the main package is in %s, want %s", in.Dir, want)
	}
	want := []string{
		".", "app", "app/lib", "app/web", "app/web/all", "app/web/all/.hidden", "app/web/site", "app/web/site/sub",
		"app/web/sql", "app/web/sql/one", "replaced", "replaced/r", "used",
	}
	var got []string
	for _, dir := range in.Dirs() {
		rel, err := filepath.Rel(root, dir)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(rel))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the directories are\n%q, want\n%q", got, want)
	}
}

func TestInputsMatch(t *testing.T) {
	root := write(t, shop())
	in := inputs(t)
	const source = "package anything\n"
	foreign := "windows"
	if runtime.GOOS == foreign {
		foreign = "linux"
	}
	tests := []struct {
		path    string
		content string // written first, if not empty
		want    bool
	}{
		{"app/web/main.go", "", true},
		{"app/web/db.go", "", true},
		{"app/web/nodb.go", "", false},
		{"app/lib/lib.go", "", true},
		{"app/lib/lib_plan9.go", "", false},
		{"app/lib/lib_test.go", "", false},
		{"app/other/other.go", "", false},
		{"unused/unused.go", "", false},
		{"replaced/r/r.go", "", true},
		{"replaced/s/s.go", "", false},
		{"used/used.go", "", true},
		{"app/web", "", true},

		{"app/go.mod", "", true},
		{"app/go.sum", "", true},
		{"replaced/go.mod", "", true},
		{"used/go.mod", "", true},
		{"go.work", "", true},
		{"go.work.sum", "", true},
		{"app/modules.txt", "", false},
		{"app/web/default.pgo", "", true},
		{"app/lib/default.pgo", "", false},

		{"app/lib/new.go", source, true},
		{"app/lib/gone.go", "", true}, // It may have been compiled before it was listed.
		{"app/lib/gone_test.go", "", false},
		{"app/lib/gone_" + foreign + ".go", "", false},
		{"app/lib/new_test.go", source, false},
		{"app/lib/new_" + foreign + ".go", source, false},
		{"app/lib/new_" + runtime.GOOS + ".go", source, true},
		{"app/lib/cache.go", "//go:build cache\n\n" + source, true},
		{"app/lib/nocache.go", "//go:build !cache\n\n" + source, false},
		{"app/lib/broken.go", "pakage", true},
		{"app/lib/asm.s", "TEXT", true},
		{"app/lib/README.md", "words", false},
		{"app/lib/_x.go", source, false},
		{"app/lib/sub/new.go", source, false},

		{"app/lib/.#lib.go", source, false},
		{"app/lib/#lib.go#", source, false},
		{"app/lib/lib.go~", source, false},
		{"app/lib/.lib.go.swp", source, false},
		{"app/lib/4913", source, false},
		{"app/web/site/4913", source, false},
		{"app/web/site/index.html~", source, false},

		{"app/web/kodata/index.html", "", false},
		{"app/web/kodata", "", false},
		{"app/web/site/index.html", "", true},
		{"app/web/site/removed.html", "", true},
		{"app/web/site/new/deep/file", source, true},
		{"app/web/site/new", "", true},
		{"app/web/site/.hidden", source, false},
		{"app/web/site/_sub/a.html", "", false},
		{"app/web/all/.hidden/b", source, true},
		{"app/web/all/_b", source, true},
		{"app/web/sql/two/up.sql", source, true},
		{"app/web/sql/two", "", true},
		{"app/web/sql/two/README", source, false},
		{"app/web/sql/README", "", false},
	}
	for _, test := range tests {
		path := filepath.Join(root, filepath.FromSlash(test.path))
		if test.content != "" {
			writeFile(t, path, test.content)
		}
		if got := in.Match(path); got != test.want {
			t.Errorf("Match(%s) = %v, want %v", test.path, got, test.want)
		}
	}
	if err := os.Remove(filepath.Join(root, "app/lib/lib.go")); err != nil {
		t.Fatal(err)
	}
	if !in.Match(filepath.Join(root, "app/lib/lib.go")) {
		t.Error("a file that is removed does not match")
	}
}

func TestInputsOfBrokenCode(t *testing.T) {
	tests := map[string]struct{ path, content, want string }{
		"syntax":         {"app/lib/lib.go", "package lib\n\nfunc {\n", "app/lib/lib.go"},
		"no package":     {"app/web/main.go", "pakage main\n", "app/web/main.go"},
		"type":           {"used/used.go", "package used\n\nvar x = missing\n", "used/used.go"},
		"no embed":       {"app/web/new.go", "package main\n\nimport _ \"embed\"\n\n//go:embed gone/x\nvar x string\n", "app/web/gone/x"},
		"missing import": {"app/web/new.go", "package main\n\nimport _ \"example.com/app/gone/far\"\n", "app/gone/far"},
		"import cycle":   {"app/lib/lib.go", "package lib\n\nimport _ \"example.com/app/lib\"\n", "app/lib/lib.go"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := write(t, shop(), map[string]string{test.path: test.content})
			in := inputs(t)
			for _, path := range []string{test.path, test.want, "app/go.mod"} {
				if !in.Match(filepath.Join(root, path)) {
					t.Errorf("%s does not match", path)
				}
			}
			if dir := filepath.Join(root, filepath.Dir(test.path)); !slices.Contains(in.Dirs(), dir) {
				t.Errorf("%s is not watched", dir)
			}
		})
	}
}

func TestInputsOfVendoredPackages(t *testing.T) {
	files := shop()
	delete(files, "go.work")
	files["app/web/main.go"] = "package main\n\nfunc main() {}\n"
	root := write(t, files)
	output(t, "go", "-C", "app", "mod", "vendor")
	in := inputs(t)
	for path, want := range map[string]bool{
		"app/vendor/modules.txt":                 true,
		"app/vendor/example.com/replaced/r/r.go": true,
		"replaced/r/r.go":                        false,
	} {
		if got := in.Match(filepath.Join(root, filepath.FromSlash(path))); got != want {
			t.Errorf("Match(%s) = %v, want %v", path, got, want)
		}
	}
}

func TestInputsErrors(t *testing.T) {
	write(t, hello())
	c := newCompiler(t, options.BuildOptions{})
	for _, path := range []string{"ko://example.com/hello/lib", "ko://example.com/hello/cmd/nope"} {
		_, err := c.Inputs(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "main package") {
			t.Errorf("the error of %s is %v", path, err)
		}
	}
}
