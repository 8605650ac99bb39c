package record_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/record"
)

// shop is a small workspace of all that an image can be made of.
func shop() map[string]string {
	return map[string]string{
		"app/go.mod": "module example.com/app\n\ngo 1.26\n\nrequire (\n\texample.com/replaced v0.0.0\n\texample.com/vendored v1.0.0\n)\n\n" +
			"replace example.com/replaced => ../replaced\n\nreplace example.com/vendored v1.0.0 => ../vendored\n",
		"app/.ko.yaml": "defaultFlags: [-buildvcs=false, -trimpath]\n",
		"app/web/main.go": `package main

import (
	_ "embed"
	"os"

	"example.com/app/lib"
	"example.com/replaced"
	"example.com/vendored"
)

//go:embed site/*
var site embedded

var greeting = "hello"

func main() { os.Stdout.WriteString(greeting + lib.Name + replaced.Name + vendored.Name + tag) }
`,
		"app/web/embedded.go":       "package main\n\nimport \"embed\"\n\ntype embedded = embed.FS\n",
		"app/web/site/index.html":   "<p>hello\n",
		"app/web/tag.go":            "//go:build !loud\n\npackage main\n\nvar tag = \"\"\n",
		"app/web/loud.go":           "//go:build loud\n\npackage main\n\nvar tag = \"loud\"\n",
		"app/web/kodata/index.html": "<p>data\n",
		"app/lib/lib.go":            "package lib\n\nvar Name = \"lib\"\n",
		"app/lib/lib_test.go":       "package lib\n",
		"app/unused/unused.go":      "package unused\n",
		"app/README.md":             "# The application\n",
		"replaced/go.mod":           "module example.com/replaced\n\ngo 1.26\n",
		"replaced/replaced.go":      "package replaced\n\nvar Name = \"replaced\"\n",
		"vendored/go.mod":           "module example.com/vendored\n\ngo 1.26\n",
		"vendored/vendored.go":      "package vendored\n\nvar Name = \"vendored\"\n",
	}
}

// place is a directory with a program whose image is recorded.
type place struct {
	*testing.T
	root string
}

// newPlace writes the shop, and works in its module.
func newPlace(t *testing.T) *place {
	t.Helper()
	kittest.Unset(t, "CGO_ENABLED")
	kittest.Unset(t, "GOFLAGS")
	p := &place{t, t.TempDir()}
	for name, text := range shop() {
		p.write(name, text)
	}
	t.Chdir(filepath.Join(p.root, "app"))
	return p
}

func (p *place) path(name string) string { return filepath.Join(p.root, filepath.FromSlash(name)) }

func (p *place) write(name, text string) {
	p.Helper()
	name = p.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		p.Fatal(err)
	}
}

// replace replaces a text in a file.
func (p *place) replace(name, old, new string) {
	p.Helper()
	text, err := os.ReadFile(p.path(name))
	if err != nil {
		p.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		p.Fatalf("%s does not have %q", name, old)
	}
	p.write(name, strings.Replace(string(text), old, new, 1))
}

// run runs a program in the module, and fails the test unless it succeeds.
func (p *place) run(name string, args ...string) {
	p.Helper()
	cmd := exec.CommandContext(p.Context(), name, args...)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.c", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.c")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func (p *place) recipe() *program.Recipe {
	p.Helper()
	settings, err := program.Load(&options.BuildOptions{}, (*exec.Cmd).Run)
	if err != nil {
		p.Fatal(err)
	}
	found, err := settings.Find(p.Context(), "./web")
	if err != nil {
		p.Fatal(err)
	}
	recipe, err := found.Recipe(p.Context(), program.Here())
	if err != nil {
		p.Fatal(err)
	}
	return recipe
}

func newLook() *record.Look { return record.NewLook((*exec.Cmd).Run) }

// record finds what the image is made of now.
func (p *place) record() (*record.Record, error) {
	p.Helper()
	return record.New(p.Context(), newLook(), []*program.Recipe{p.recipe()}, nil)
}

func (p *place) mustRecord() *record.Record {
	p.Helper()
	r, err := p.record()
	if err != nil {
		p.Fatal(err)
	}
	return r
}

// image returns the bytes that the image would be made of: the executable, and the data.
func (p *place) image() string {
	p.Helper()
	recipe := p.recipe()
	args, err := recipe.BuildArgs(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	out := filepath.Join(p.TempDir(), "web")
	cmd := recipe.GoTool(p.Context(), append(append([]string{"build"}, args...), "-o", out, recipe.ImportPath)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		p.Fatalf("go build: %v\n%s", err, text)
	}
	var all bytes.Buffer
	executable, err := os.ReadFile(out)
	if err != nil {
		p.Fatal(err)
	}
	all.Write(executable)
	if err := data(&all, p.path("app/web/kodata"), "kodata"); err != nil {
		p.Fatal(err)
	}
	return all.String()
}

// data writes the names and contents below a directory.
func data(all *bytes.Buffer, dir, name string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	all.WriteString(name + "/\n")
	for _, entry := range entries {
		path, name := filepath.Join(dir, entry.Name()), name+"/"+entry.Name()
		info, statErr := os.Stat(path)
		if err = errors.Join(err, statErr); err != nil {
			return err
		}
		if info.IsDir() {
			err = data(all, path, name)
			continue
		}
		text, readErr := os.ReadFile(path)
		err = errors.Join(err, readErr)
		all.WriteString(name + "\n" + string(text))
	}
	return err
}

func holds(ctx context.Context, p *place, r *record.Record) bool {
	return r.Holds(ctx, newLook(), []*program.Recipe{p.recipe()}, nil)
}
