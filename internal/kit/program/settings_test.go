package program_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/program"
)

// A mistake in the settings names their file, wherever that is.
func TestLoadNamesTheFile(t *testing.T) {
	for name, test := range map[string]struct {
		config string
		want   []string
	}{
		"syntax":             {"defaultFlags: [\n-x\n", []string{":2: "}},
		"tabs":               {"builds:\n\t- id: a\n", []string{":2: "}},
		"type":               {"builds: {id: [a, b]}\n", []string{"builds"}},
		"base image":         {"defaultBaseImage: 'UPPER CASE'\n", []string{"defaultBaseImage", "UPPER CASE"}},
		"missing directory":  {"builds: [{id: a, dir: nope}]\n", []string{"nope"}},
		"directory is no Go": {"builds: [{id: a, dir: docs}]\n", []string{"docs", "go.mod"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KO_DEFAULTBASEIMAGE", "")
			write(t, map[string]string{".ko.yaml": test.config, "elsewhere/settings.yaml": test.config, "docs/README": ""})
			for path, file := range map[string]string{"": ".ko.yaml", "elsewhere/settings.yaml": "elsewhere/settings.yaml"} {
				t.Setenv("KO_CONFIG_PATH", path)
				_, err := program.Load(&options.BuildOptions{}, (*exec.Cmd).Run)
				for _, want := range append(test.want, "reading the build settings: "+file) {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("error %v lacks %q", err, want)
					}
				}
			}
		})
	}
}
