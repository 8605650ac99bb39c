//go:build e2e

package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// rounds is how often each side runs, one after the other, so that whatever
// else the machine does befalls both.
const rounds = 5

// BenchmarkApplyUnchanged compares `ko apply -k` with what people do without
// it, `kubectl kustomize | ko apply -f -` of upstream, for the five services
// with nothing changed, each in a namespace of its own. It reports the medians
// and their ratio.
func BenchmarkApplyUnchanged(b *testing.B) {
	c := connect(b)
	upstream := buildUpstream(b)
	own := overlayIn(b, "kustomize/overlays/dev", claim(b, c, "e2e-bench-ours"), "")
	other := overlayIn(b, "kustomize/overlays/dev", claim(b, c, "e2e-bench-upstream"), "")
	ours := func() string {
		out, err := runKo(b, repository, onCluster("apply", "-q", "-k", own)...)
		if err != nil {
			b.Fatal(err)
		}
		return out.stdout
	}
	theirs := func() string {
		rendered, err := run(b, repository, "", "kubectl", "kustomize", other)
		if err != nil {
			b.Fatal(err)
		}
		out, err := run(b, repository, rendered.stdout, upstream, upstreamApply()...)
		if err != nil {
			b.Fatal(err)
		}
		return out.stdout
	}
	theirs() // The first run of each builds cold and creates.
	ours()
	for b.Loop() {
		var us, them []time.Duration
		for range rounds {
			us = append(us, unchanged(b, ours))
			them = append(them, unchanged(b, theirs))
		}
		b.ReportMetric(median(us).Seconds(), "ours-s")
		b.ReportMetric(median(them).Seconds(), "upstream-s")
		b.ReportMetric(float64(median(us))/float64(median(them)), "ours/upstream")
	}
}

// upstreamApply are the arguments by which upstream applies its stdin.
func upstreamApply() []string {
	args := []string{"apply", "-B", "-f", "-"}
	if context := onCluster(); len(context) > 0 {
		args = append(append(args, "--"), context...)
	}
	return args
}

func claim(b *testing.B, c *cluster, namespace string) string {
	b.Helper()
	c.claimNamespace(b, namespace)
	return namespace
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

// unchanged times a run that must change nothing.
func unchanged(b *testing.B, do func() string) time.Duration {
	b.Helper()
	start := time.Now()
	out := do()
	took := time.Since(start)
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if !strings.HasSuffix(line, " unchanged") {
			b.Fatalf("a run with nothing changed says %q", line)
		}
	}
	return took
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
