//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
)

// unchanging is a kustomization in which nothing changes, with its programs.
type unchanging struct {
	dir    string // where the commands run
	base   string // the directory of the kustomization
	images int
}

// compareApply measures an apply of it by ours and by upstream, each into a namespace of
// its own.
func (u *unchanging) compareApply(b *testing.B, c *cluster, other *upstream, row row) {
	own := overlayOf(b, u.base, claim(b, c, "e2e-bench-ours"), "")
	theirs := overlayOf(b, u.base, claim(b, c, "e2e-bench-upstream"), "")
	ours := func() string { return u.ko(b, "apply", "-k", own) }
	upstream := func(cached bool) func() string {
		return func() string {
			out, err := other.apply(b, u.dir, theirs, cached)
			if err != nil {
				b.Fatal(err)
			}
			return out.stdout
		}
	}
	plain, cached := upstream(false), upstream(true)
	for _, first := range []func() string{ours, plain, cached} {
		first() // It builds cold and creates.
	}
	for b.Loop() {
		took := medians(rounds, unchanged(b, ours), unchanged(b, plain), unchanged(b, cached))
		row.ours, row.upstream, row.cached = took[0], took[1], took[2]
		stages, resolved := u.stages(b, own)
		row.stages = append(stages, stage{"the cluster: an apply, less a resolve", row.ours - resolved})
		b.ReportMetric(0, "ns/op") // It is of no use.
		b.ReportMetric(row.ours.Seconds(), "ours-s")
		b.ReportMetric(row.upstream.Seconds(), "upstream-s")
		b.ReportMetric(row.cached.Seconds(), "upstream-KOCACHE-s")
		b.ReportMetric(row.ours.Seconds()/row.upstream.Seconds(), "ours/upstream")
		b.ReportMetric(row.ours.Seconds()/row.cached.Seconds(), "ours/upstream-KOCACHE")
	}
	measured.add(row)
}

// firstBuildWithin bounds how long the images are built that are then unchanged. A
// thousand take five minutes on two idle cores, and less once the registry has them.
const firstBuildWithin = 10 * time.Minute

// compareResolve measures a resolve of it by ours.
func (u *unchanging) compareResolve(b *testing.B, row row) {
	ctx, cancel := context.WithTimeout(b.Context(), firstBuildWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, koPath(b), "resolve", "-q", "-k", u.base)
	cmd.Dir = u.dir
	start := time.Now()
	switch said, err := cmd.CombinedOutput(); {
	case ctx.Err() != nil:
		row.aims, row.note = nil, "not measured: to build the programs took more than "+firstBuildWithin.String()
		measured.add(row)
		b.Skip(row.note)
	case err != nil:
		b.Fatalf("%v: %s", err, said)
	}
	first := time.Since(start)
	for b.Loop() {
		row.stages, row.ours = u.stages(b, u.base)
		b.ReportMetric(0, "ns/op") // It is of no use.
		b.ReportMetric(row.ours.Seconds(), "ours-s")
		b.ReportMetric(first.Seconds(), "first-build-s")
	}
	measured.add(row)
}

// unchanged returns a run that must change nothing in the cluster.
func unchanged(b *testing.B, do func() string) func() {
	return func() {
		b.Helper()
		for line := range strings.Lines(strings.TrimSpace(do())) {
			if line = strings.TrimSpace(line); !strings.HasSuffix(line, " unchanged") {
				b.Fatalf("a run with nothing changed says %q", line)
			}
		}
	}
}

// ko runs a command that deploys it, and returns what it prints.
func (u *unchanging) ko(b *testing.B, args ...string) string {
	b.Helper()
	out, err := runKo(b, u.dir, onCluster(args...)...)
	if err != nil {
		b.Fatal(err)
	}
	return out.stdout
}

// stages measures the parts of a run with nothing changed that can be run alone, and
// returns how long a resolve takes. None of its images may be built.
func (u *unchanging) stages(b *testing.B, overlay string) ([]stage, time.Duration) {
	var resolved output
	tags := u.tags(b, overlay)
	took := medians(rounds,
		func() {
			var err error
			if resolved, err = runKo(b, u.dir, onCluster("resolve", "-k", overlay)...); err != nil {
				b.Fatal(err)
			}
			if n := strings.Count(resolved.stderr, ": unchanged "); n != u.images {
				b.Fatalf("%d of %d images are unchanged", n, u.images)
			}
		},
		func() {
			if _, err := runKo(b, u.dir, "version"); err != nil {
				b.Fatal(err)
			}
		},
		func() { u.ko(b, "resolve", "-q", "-k", overlay, "--selector=app.kubernetes.io/name=none") },
		func() { askFor(b, tags) })
	resolve, start, render, ask := took[0], took[1], took[2], took[3]
	return []stage{
		{"the program starts: ko version", start},
		{"the kustomization is rendered: a resolve of none of its objects, less that", render - start},
		{"the images are found: a resolve, less these two", resolve - render},
		{"  of that, asking the registry for their tags, if that is done alone", ask},
	}, resolve
}

// tags returns the tags that the images are offered by.
func (u *unchanging) tags(b *testing.B, overlay string) []name.Tag {
	b.Helper()
	var tags []name.Tag
	for _, image := range regexp.MustCompile(`image: "?([^@\s"]+)@sha256:`).FindAllStringSubmatch(u.ko(b, "resolve", "-q", "-k", overlay), -1) {
		tag, err := name.NewTag(image[1] + ":latest")
		if err != nil {
			b.Fatal(err)
		}
		tags = append(tags, tag)
	}
	return tags
}

// askFor asks the registry for tags as ko does, with as many requests at a time.
func askFor(b *testing.B, tags []name.Tag) {
	b.Helper()
	puller, err := remote.NewPuller(remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		b.Fatal(err)
	}
	var group errgroup.Group
	group.SetLimit(32)
	for _, tag := range tags {
		group.Go(func() error {
			_, err := puller.Head(b.Context(), tag)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}
