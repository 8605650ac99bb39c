package compile_test

import (
	"context"
	"debug/dwarf"
	"debug/elf"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/program"
)

// hello is a module with one command that prints what it was compiled with.
func hello() map[string]string {
	return map[string]string{
		"go.mod": "module example.com/hello\n\ngo 1.26\n",
		"cmd/hello/main.go": `package main

import "os"

var greeting, tag = "hello", "untagged"

func main() { os.Stdout.WriteString(greeting + ", " + tag) }
`,
		"cmd/hello/loud.go": `//go:build loud

package main

func init() { tag = "loud" }
`,
		"lib/lib.go": "package lib\n",
	}
}

const helloPath = "ko://example.com/hello/cmd/hello"

// write puts files into a new directory and makes it the working directory.
func write(t *testing.T, files ...map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, set := range files {
		for name, content := range set {
			writeFile(t, filepath.Join(dir, name), content)
		}
	}
	t.Chdir(dir)
	return dir
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newScratch returns a directory that has to be empty in the end.
func newScratch(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (error %v)", left, err)
		}
	})
	return dir
}

func newCompiler(t *testing.T, opts options.BuildOptions) *compile.Compiler {
	t.Helper()
	tools, err := process.NewGroup()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tools.Close(); err != nil {
			t.Error(err)
		}
	})
	settings, err := program.Load(&opts, tools.Run)
	if err != nil {
		t.Fatal(err)
	}
	return compile.New(settings, tools, newScratch(t))
}

func TestCompileUsesTheBuildSettings(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: compiles the standard library with other flags")
	}
	tests := map[string]struct {
		files map[string]string
		env   map[string]string
		opts  options.BuildOptions
		want  string
	}{
		"none": {want: "hello, untagged"},
		"default flags": {
			files: map[string]string{".ko.yaml": "defaultFlags: [-tags=loud]\n"},
			want:  "hello, loud",
		},
		"default environment": {
			files: map[string]string{".ko.yaml": "defaultEnv: [GOFLAGS=-tags=loud]\n"},
			want:  "hello, loud",
		},
		"KO environment": {
			env:  map[string]string{"KO_DEFAULTLDFLAGS": "-X=main.greeting=hey"},
			want: "hey, untagged",
		},
		"template of the environment": {
			files: map[string]string{".ko.yaml": "defaultLdflags: ['-X main.greeting={{.Env.WHO}}']\n"},
			env:   map[string]string{"WHO": "ada"},
			want:  "ada, untagged",
		},
		"template of the go environment": {
			files: map[string]string{".ko.yaml": "defaultLdflags: ['-X main.greeting={{.GoEnv.CGO_ENABLED}}']\n"},
			want:  "0, untagged",
		},
		"template of the date": {
			files: map[string]string{".ko.yaml": "defaultLdflags: ['-X main.greeting={{.Timestamp}}']\n"},
			env:   map[string]string{"SOURCE_DATE_EPOCH": "1700000000"},
			want:  "1700000000, untagged",
		},
		"template of no repository": {
			files: map[string]string{".ko.yaml": "defaultLdflags: ['-X main.greeting={{.Git.TreeState}}{{.Git.Tag}}']\n"},
			env:   map[string]string{"GIT_DIR": "nowhere"},
			want:  "clean, untagged",
		},
		"configuration of the import path": {
			files: map[string]string{".ko.yaml": `
defaultFlags: [-tags=quiet]
defaultLdflags: [-X main.greeting=default]
builds:
- main: ./cmd/hello
  flags: [-tags, "loud"]
  ldflags: [-X main.greeting=own]
`},
			want: "own, loud",
		},
		"command line before configuration": {
			files: map[string]string{".ko.yaml": "defaultLdflags: [-X main.greeting=default]\n"},
			opts:  options.BuildOptions{Ldflags: []string{"-X main.greeting=flag"}},
			want:  "flag, untagged",
		},
		"without optimizations": {
			opts: options.BuildOptions{DisableOptimizations: true, Trimpath: true},
			want: "hello, untagged",
		},
		"another platform": {
			env:  map[string]string{"GOOS": "plan9", "GOARCH": "arm"},
			want: "hello, untagged",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := write(t, hello(), test.files)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			out := filepath.Join(dir, "out")
			if err := newCompiler(t, test.opts).Compile(t.Context(), helloPath, out); err != nil {
				t.Fatal(err)
			}
			if got := output(t, out); got != test.want {
				t.Errorf("the program prints %q, want %q", got, test.want)
			}
		})
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestCompileFillsInTheRepository(t *testing.T) {
	dir := write(t, hello(), map[string]string{
		".ko.yaml": "defaultLdflags: ['-X main.greeting={{.Git.Branch}}/{{.Git.Tag}}/{{.Git.FullCommit}}/{{.Git.IsDirty}}']\n",
	})
	output(t, "git", "init", "--quiet", "--initial-branch=trunk")
	output(t, "git", "add", ".")
	output(t, "git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message=first")
	output(t, "git", "tag", "v1.2.3")
	out := filepath.Join(t.TempDir(), "out")
	if err := newCompiler(t, options.BuildOptions{WorkingDirectory: dir}).Compile(t.Context(), helloPath, out); err != nil {
		t.Fatal(err)
	}
	want := "trunk/v1.2.3/" + output(t, "git", "rev-parse", "HEAD") + "/false, untagged"
	if got := output(t, out); got != want {
		t.Errorf("the program prints %q, want %q", got, want)
	}
}

func TestCompileRunsWhereTheConfigurationSays(t *testing.T) {
	kittest.Unset(t, "CGO_ENABLED")
	files := map[string]string{".ko.yaml": "builds:\n- dir: app\n  main: ./cmd/hello\n"}
	for name, content := range hello() {
		files[filepath.Join("app", name)] = content
	}
	dir := write(t, files)
	c := newCompiler(t, options.BuildOptions{})
	if err := c.Compile(t.Context(), helloPath, "out"); err != nil {
		t.Fatal(err)
	}
	if got := output(t, filepath.Join(dir, "out")); got != "hello, untagged" {
		t.Errorf("the program prints %q", got)
	}

	writeFile(t, filepath.Join(dir, "app/cmd/hello/broken.go"), "package main\n\nvar x = missing\n")
	err := c.Compile(t.Context(), helloPath, "out")
	var failed *program.CompileError
	if !errors.As(err, &failed) {
		t.Fatalf("got error %v, want a CompileError", err)
	}
	if want := filepath.FromSlash("app/cmd/hello/broken.go:3:9: undefined: missing"); failed.Output != want {
		t.Errorf("the output is %q, want %q", failed.Output, want)
	}
	if want := "CGO_ENABLED=0 go build -C app -o /dev/null example.com/hello/cmd/hello"; failed.Command != want {
		t.Errorf("the command is %q, want %q", failed.Command, want)
	}
}

func TestCompileErrors(t *testing.T) {
	kittest.Unset(t, "CGO_ENABLED")
	tests := map[string]struct {
		files      map[string]string
		env        map[string]string
		importPath string
		compile    bool // a *CompileError
		want       []string
	}{
		"code": {
			files:   map[string]string{"cmd/hello/broken.go": "package main\n\nfunc f() int { return \"\" }\n"},
			compile: true,
			want:    []string{"ko://example.com/hello/cmd/hello", "cmd/hello/broken.go:3:23: ", "again: CGO_ENABLED=0 go build -o /dev/null example.com/hello/cmd/hello"},
		},
		"syntax": {
			files:   map[string]string{"cmd/hello/broken.go": "package main\n\nfunc f( {}\n"},
			compile: true,
			want:    []string{"cmd/hello/broken.go:3:9: syntax error"},
		},
		"unknown import": {
			files:   map[string]string{"cmd/hello/broken.go": "package main\n\nimport _ \"example.com/hello/nowhere\"\n"},
			compile: true,
			want:    []string{"cmd/hello/broken.go:3:8: ", "example.com/hello/nowhere"},
		},
		"go.mod": {
			files:   map[string]string{"go.mod": "module example.com/hello\nbogus\n"},
			compile: true,
			want:    []string{"go.mod:2: unknown directive: bogus"},
		},
		"no command":      {importPath: "ko://example.com/hello/lib", want: []string{"ko://example.com/hello/lib", "main package"}},
		"no such package": {importPath: "ko://example.com/hello/cmd/nope", want: []string{"ko://example.com/hello/cmd/nope", "main package"}},
		"toolexec in flags": {
			files: map[string]string{".ko.yaml": "defaultFlags: [--toolexec=evil]\n"},
			want:  []string{"-toolexec is not allowed"},
		},
		"toolexec in GOFLAGS": {
			files: map[string]string{".ko.yaml": "defaultEnv: [GOFLAGS=-toolexec=evil]\n"},
			want:  []string{"GOFLAGS: -toolexec is not allowed"},
		},
		"unknown template": {
			files: map[string]string{".ko.yaml": "defaultLdflags: ['{{.Env.NOT_SET}}']\n"},
			want:  []string{"ldflags", "NOT_SET"},
		},
		"no go tool": {
			env:  map[string]string{"KO_GO_PATH": "/nowhere/go"},
			want: []string{"/nowhere/go", "KO_GO_PATH"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			write(t, hello(), test.files)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			if test.importPath == "" {
				test.importPath = helloPath
			}
			err := newCompiler(t, options.BuildOptions{}).Compile(t.Context(), test.importPath, "out")
			if err == nil {
				t.Fatal("no error")
			}
			if errors.As(err, new(*program.CompileError)) != test.compile {
				t.Errorf("%T is the wrong type of error", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not mention %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestCompileIsCancelledBeforeItStarts(t *testing.T) {
	write(t, hello())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newCompiler(t, options.BuildOptions{}).Compile(ctx, helloPath, "out"); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

func TestSettingsFile(t *testing.T) {
	files := map[string]string{"elsewhere/.ko.yaml": "", "other.yaml": ""}
	maps.Copy(files, hello())
	dir := write(t, files)
	for override, want := range map[string]string{"": ".ko.yaml", "elsewhere": "elsewhere/.ko.yaml", "other.yaml": "other.yaml"} {
		t.Setenv("KO_CONFIG_PATH", override)
		if got := newCompiler(t, options.BuildOptions{}).SettingsFiles()[0]; got != filepath.Join(dir, want) {
			t.Errorf("with KO_CONFIG_PATH=%s it is %s, want %s", override, got, want)
		}
	}
}

// debugInfo returns the source files that an executable for Linux names.
func debugInfo(t *testing.T, path string) (files []string) {
	t.Helper()
	executable, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer executable.Close()
	info, err := executable.DWARF()
	if err != nil {
		return nil
	}
	for entries := info.Reader(); ; {
		entry, err := entries.Next()
		if err != nil {
			t.Fatal(err)
		}
		if entry == nil {
			return files
		}
		if entry.Tag != dwarf.TagCompileUnit {
			continue
		}
		if lines, err := info.LineReader(entry); err == nil && lines != nil {
			for _, file := range lines.Files() {
				if file != nil {
					files = append(files, file.Name)
				}
			}
		}
	}
}

func forImages(t *testing.T) *compile.Compiler {
	t.Helper()
	c, err := newCompiler(t, options.BuildOptions{Platforms: []string{"linux/amd64"}}).ForImages()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestForDebuggingFindsTheSources(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: compiles the standard library with other flags")
	}
	dir := write(t, hello(), map[string]string{".ko.yaml": "defaultFlags: [-trimpath]\ndefaultLdflags: [-s -w]\n"})
	out := filepath.Join(dir, "out")
	if err := forImages(t).ForDebugging().Compile(t.Context(), helloPath, out); err != nil {
		t.Fatal(err)
	}
	files := debugInfo(t, out)
	if want := filepath.Join(dir, "cmd/hello/main.go"); !slices.Contains(files, want) {
		t.Errorf("%s is not among its %d files", want, len(files))
	}
}
