//go:build e2e

package e2e

import (
	"path/filepath"
	"testing"
)

// upstream is the ko that ours is built from, as people use it without the kit.
type upstream struct {
	path  string
	cache string // of KOCACHE
}

func newUpstream(b *testing.B) *upstream {
	b.Helper()
	return &upstream{path: buildUpstream(b), cache: b.TempDir()}
}

// buildUpstream builds the ko that ours is built from.
func buildUpstream(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upstream-ko")
	if _, err := run(t, repository, "", "go", "build", "-o", path, "github.com/google/ko"); err != nil {
		t.Fatal(err)
	}
	return path
}

// apply does what people do without the kit, in a directory, with KOCACHE or without it:
// `kubectl kustomize | ko apply -f -`.
func (u *upstream) apply(b *testing.B, dir, kustomization string, cached bool) (output, error) {
	b.Helper()
	rendered, err := run(b, dir, "", "kubectl", "kustomize", kustomization)
	if err != nil {
		return output{}, err
	}
	args := append(u.command(cached), "apply", "-B", "-f", "-")
	if context := onCluster(); len(context) > 0 {
		args = append(append(args, "--"), context...)
	}
	return run(b, dir, rendered.stdout, "env", args...)
}

// command are the arguments by which env(1) runs it.
func (u *upstream) command(cached bool) []string {
	if cached {
		return []string{"KOCACHE=" + u.cache, u.path}
	}
	return []string{"-u", "KOCACHE", u.path}
}
