package watch_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/koshop/koshop/internal/kit/watch"
)

// repository is one in a temporary directory.
type repository struct {
	t   *testing.T
	dir string
}

func (r repository) git(args ...string) {
	r.t.Helper()
	args = append([]string{"-C", r.dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "gc.auto=0"}, args...)
	if out, err := exec.CommandContext(r.t.Context(), "git", args...).CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func TestCheckingOutABranch(t *testing.T) { inEachMode(t, testCheckingOutABranch) }

func testCheckingOutABranch(t *testing.T, mode watch.Mode) {
	r := repository{t, t.TempDir()}
	pkg := filepath.Join(r.dir, "internal", "deep", "pkg")
	main, lib := filepath.Join(r.dir, "main.go"), filepath.Join(pkg, "lib.go")
	r.git("init", "--quiet", "--initial-branch=small")
	save(t, main, "package main\n")
	r.git("add", ".")
	r.git("commit", "--quiet", "--message=small")
	r.git("checkout", "--quiet", "-b", "large")
	save(t, main, "package main // large\n")
	mkdir(t, pkg)
	save(t, lib, "package pkg\n")
	r.git("add", ".")
	r.git("commit", "--quiet", "--message=large")

	w := start(t, mode, r.dir, pkg)
	for range 3 {
		r.git("checkout", "--quiet", "small")
		expect(t, w, main, pkg)
		r.git("checkout", "--quiet", "large")
		expect(t, w, main, pkg)
		expectWatched(t, w, pkg)
		save(t, lib, "package pkg // edited\n")
		expect(t, w, lib)
		r.git("checkout", "--quiet", "--", ".")
		r.git("clean", "--quiet", "--force")
		expect(t, w, lib)
	}
	// There and back at once.
	r.git("checkout", "--quiet", "small")
	r.git("checkout", "--quiet", "large")
	if mode == watch.Events { // Polling may see nothing, as nothing is different.
		expect(t, w, main, pkg)
	}
	expectWatched(t, w, pkg)
}
