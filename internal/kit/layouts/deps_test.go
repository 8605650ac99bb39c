//go:build linux

package layouts_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/layouts"
)

// deps asks what each program is made of, by each of its names.
func (r *repository) deps(t *testing.T) {
	for _, p := range r.Programs {
		first := ""
		for _, name := range p.Names() {
			stdout, printed, err := output(r.ko(t, "deps", name))
			if !r.judge(t, "deps", err, printed) {
				continue
			}
			r.cover(t, p, name, stdout)
			if first == "" {
				first = stdout
			}
			if stdout != first {
				t.Errorf("ko deps %s prints\n%s\nand ko deps %s\n%s", name, stdout, p.Names()[0], first)
			}
		}
	}
}

// cover fails unless each of the program's files is printed, or is below a
// directory that is.
func (r *repository) cover(t *testing.T, p *layouts.Program, name, printed string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(r.dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range p.Files {
		covered := false
		for root := range strings.Lines(printed) {
			root = strings.TrimSuffix(root, "\n")
			if !filepath.IsAbs(root) {
				root = filepath.Join(dir, root)
			}
			below, err := filepath.Rel(root, filepath.Join(r.root, filepath.FromSlash(file)))
			covered = covered || err == nil && filepath.IsLocal(below)
		}
		if !covered {
			t.Errorf("ko deps %s prints no directory of %s:\n%s", name, file, printed)
		}
	}
}
