//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// upstreamWithin bounds how long upstream compiles in a fresh clone.
const upstreamWithin = 5 * time.Minute

// cloneRounds is how often a fresh clone is deployed from.
const cloneRounds = 3

// BenchmarkFreshClone measures `ko resolve -k` of the five services in a new clone of the
// repository with empty caches, after the images were published from another clone:
// nothing may be compiled. The modules are kept, since they would come from the network.
// Upstream has to compile everything, and does so once, for [upstreamWithin] at most; its
// KOCACHE would be empty.
func BenchmarkFreshClone(b *testing.B) {
	other := newUpstream(b)
	publisher := gitClone(b)
	if out, err := runKo(b, publisher, "resolve", "-q", "-k", "kustomize/overlays/dev"); err != nil {
		b.Fatalf("%v: %s", err, out.stderr)
	}
	for b.Loop() {
		row := row{what: "fresh clone with empty caches, resolve 5 services", aims: []aim{{atMost: 10 * time.Second}}}
		var whole, again, list, listAgain []time.Duration
		for range cloneRounds {
			n := newcomer{dir: gitClone(b), home: b.TempDir()}
			whole = append(whole, n.resolve(b))
			again = append(again, n.resolve(b))
			n.home = b.TempDir()
			list = append(list, n.list(b))
			listAgain = append(listAgain, n.list(b))
		}
		row.ours = median(whole)
		row.upstream = newcomer{dir: gitClone(b), home: b.TempDir()}.upstream(b, other)
		if row.upstream >= upstreamWithin {
			row.note = "upstream was stopped before its end"
		}
		row.stages = []stage{
			{"go list of the five programs, one after the other, with an empty cache", median(list)},
			{"  of that, what it takes with the cache that this has filled", median(listAgain)},
			{"the same resolve once more", median(again)},
		}
		b.ReportMetric(0, "ns/op") // It is of no use.
		b.ReportMetric(row.ours.Seconds(), "ours-s")
		b.ReportMetric(row.upstream.Seconds(), "upstream-s")
		b.ReportMetric(row.ours.Seconds()/row.upstream.Seconds(), "ours/upstream")
		b.ReportMetric(median(list).Seconds(), "go-list-s")
		measured.add(row)
	}
}

// gitClone clones the commit that is checked out.
func gitClone(b *testing.B) string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "clone")
	if _, err := run(b, repository, "", "git", "clone", "--quiet", ".", dir); err != nil {
		b.Fatal(err)
	}
	return dir
}

// newcomer works on a clone with a home directory that is empty at first.
type newcomer struct{ dir, home string }

// run runs a program there, and returns how long that takes and what it says.
func (n newcomer) run(b *testing.B, command ...string) (time.Duration, output) {
	b.Helper()
	args := n.env(b, command...)
	start := time.Now()
	out, err := run(b, n.dir, "", "env", args...)
	took := time.Since(start)
	if err != nil {
		b.Fatalf("%v: %s", err, out.stderr)
	}
	return took, out
}

// env returns the arguments by which env(1) runs a program as the newcomer.
func (n newcomer) env(b *testing.B, command ...string) []string {
	b.Helper()
	docker := filepath.Join(os.Getenv("HOME"), ".docker") // It has the credentials for registries.
	return append([]string{"-u", "KOCACHE", "HOME=" + n.home, "XDG_CACHE_HOME=" + filepath.Join(n.home, ".cache"), "GOCACHE=" + filepath.Join(n.home, ".cache/go-build"),
		"GOMODCACHE=" + goEnv(b, "GOMODCACHE"), "GOENV=" + goEnv(b, "GOENV"), "DOCKER_CONFIG=" + cmp.Or(os.Getenv("DOCKER_CONFIG"), docker)}, command...)
}

// resolve resolves the overlay, of which nothing may be built.
func (n newcomer) resolve(b *testing.B) time.Duration {
	b.Helper()
	took, out := n.run(b, koPath(b), "resolve", "-k", "kustomize/overlays/dev")
	if strings.Count(out.stderr, ": unchanged ") != 5 || strings.Contains(out.stderr, ": built: ") {
		b.Fatalf("in a fresh clone, not all five images are unchanged: %s", out.stderr)
	}
	return took
}

// list has the go tool list the packages of each program, as ko does to find out what its
// image is made of.
func (n newcomer) list(b *testing.B) (sum time.Duration) {
	b.Helper()
	for _, program := range []string{"api-gateway", "orders-svc", "payments-svc", "product-svc", "user-svc"} {
		took, _ := n.run(b, "CGO_ENABLED=0", "go", "list", "-e", "-deps", "-trimpath", "-json=Dir,ImportPath,Module,GoFiles", "./cmd/"+program)
		sum += took
	}
	return sum
}

// upstream has upstream do the same, and returns how long it takes, or upstreamWithin if
// that is more.
func (n newcomer) upstream(b *testing.B, other *upstream) time.Duration {
	b.Helper()
	rendered, err := run(b, n.dir, "", "kubectl", "kustomize", "kustomize/overlays/dev")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), upstreamWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "env", n.env(b, other.path, "resolve", "-B", "-f", "-")...)
	cmd.Dir, cmd.Stdin = n.dir, strings.NewReader(rendered.stdout)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // So it stops its compilers.
	start := time.Now()
	said, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return upstreamWithin
	}
	if err != nil {
		b.Fatalf("%v: %s", err, said)
	}
	return time.Since(start)
}
