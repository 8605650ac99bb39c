package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// A mistake in .ko.yaml is named with its file and line, by every command that
// reads it.
func TestMistakesInTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(guestbook)); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{".ko.yaml": "defaultEnv: [A=1]\nbuilds:\n- id: web\n  dir: none\n"})
	for _, args := range [][]string{
		{"resolve", "-k", "config/overlays/prod"},
		{"up", "-k", "config/overlays/prod"},
		{"deps", "./cmd/web"},
	} {
		kittest.UseRegistry(t)
		t.Chdir(dir)
		_, _, err := ko(t, args...)
		if want := ".ko.yaml:4: builds: stat none: no such file or directory"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ko %s: error %v, want %s", args[0], err, want)
		}
	}
}
