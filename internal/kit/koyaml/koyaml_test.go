package koyaml_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/koyaml"
)

func TestExplain(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"a tab":             {"defaultPlatforms:\n\t- linux/amd64\n", "FILE:2: "},
		"an open bracket":   {"builds:\n- id: a\n  flags: [-v\n", "FILE:2: "},
		"twice":             {"builds: []\nbuilds: []\n", "FILE:2: mapping key"},
		"no mapping":        {"- builds\n", "FILE:1: cannot unmarshal"},
		"no image":          {"defaultEnv: [A=1]\ndefaultBaseImage: UPPER CASE\n", "FILE:2: "},
		"no image override": {"\nbaseImageOverrides:\n  example.com/app: UPPER CASE\n", "FILE:2: "},
		"builds is a text":  {"# note\nbuilds: all\n", "FILE:2: builds: entry 0 expected a mapping, got \"string\""},
		"flags is a map":    {"builds:\n- id: a\n  main: .\n- id: b\n  main: .\n  flags: {v: true}\n", "FILE:6: builds: '[1].Flags[0]' expected type 'string', got a mapping"},
		"an unknown dir":    {"builds:\n- id: a\n  main: .\n- id: b\n  dir: none\n  main: .\n", "FILE:5: builds: stat none: "},
		"an unknown main":   {"builds:\n- id: a\n  main: ./none\n", "FILE:3: builds: stat none: "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range map[string]string{".ko.yaml": test.content, "go.mod": "module example.com/app\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("KO_DEFAULTBASEIMAGE", "")
			check := func(file string, opts *options.BuildOptions) {
				t.Helper()
				failed := opts.LoadConfig()
				if failed == nil {
					t.Fatal("upstream takes it")
				}
				got := koyaml.Explain(opts.WorkingDirectory, failed)
				if want := strings.ReplaceAll(test.want, "FILE", file); !strings.HasPrefix(got.Error(), want) {
					t.Errorf("error %v, want %s", got, want)
				}
			}
			t.Chdir(dir)
			check(".ko.yaml", &options.BuildOptions{})
			t.Setenv("KO_CONFIG_PATH", filepath.Join(dir, ".ko.yaml"))
			check(filepath.Join(dir, ".ko.yaml"), &options.BuildOptions{})
			t.Setenv("KO_CONFIG_PATH", dir)
			check(filepath.Join(dir, ".ko.yaml"), &options.BuildOptions{})
		})
	}
}

// What stands in the environment is no mistake of the file.
func TestExplainTheEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("KO_DEFAULTBASEIMAGE", "UPPER CASE")
	opts := &options.BuildOptions{}
	if got := koyaml.Explain(".", opts.LoadConfig()).Error(); !strings.HasPrefix(got, "KO_DEFAULTBASEIMAGE: ") {
		t.Errorf("error %v", got)
	}
	t.Setenv("KO_DEFAULTBASEIMAGE", "")
	t.Setenv("KO_CONFIG_PATH", "none.yaml")
	if got := koyaml.Explain(".", opts.LoadConfig()).Error(); !strings.Contains(got, "KO_CONFIG_PATH names: ") || !strings.Contains(got, "none.yaml") {
		t.Errorf("error %v", got)
	}
}
