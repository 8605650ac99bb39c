//go:build e2e

package e2e

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rounds is how often each side runs, one after the other, so that whatever
// else the machine does befalls both.
const rounds = 5

// mostPrograms is how many workloads are resolved. Upstream is not measured with as
// many: it links each program in each run, which takes minutes.
const mostPrograms = 1000

// BenchmarkUnchanged measures what it costs to deploy when nothing has changed: `ko apply
// -k` of 1, 20 and 50 tiny programs and of the five services, against what people do
// without it, `kubectl kustomize | ko apply -f -` of upstream, without and with KOCACHE;
// and `ko resolve -k` of a thousand tiny programs. All images have been published before.
// It reports the medians and their ratios.
func BenchmarkUnchanged(b *testing.B) {
	c, other := connect(b), newUpstream(b)
	useOwnCache(b)
	shop := &unchanging{dir: repository, base: repository + "/kustomize/overlays/dev", images: 5}
	root := writeTiny(b, mostPrograms)
	tiny := func(n int) *unchanging { return &unchanging{root, tinyKustomization(b, root, n), n} }
	apply := func(u *unchanging, programs string, aims ...aim) {
		b.Run(strconv.Itoa(u.images), func(b *testing.B) {
			if u.dir == root {
				useRepository(b, "/bench")
			}
			u.compareApply(b, c, other, row{what: "nothing changed, apply " + programs, aims: aims})
		})
	}
	apply(tiny(1), "1 tiny program")
	apply(shop, "5 services", aim{atMost: 250 * time.Millisecond}, aim{share: 0.1})
	apply(tiny(20), "20 tiny programs")
	apply(tiny(50), "50 tiny programs", aim{atMost: 400 * time.Millisecond})
	b.Run(strconv.Itoa(mostPrograms), func(b *testing.B) {
		useRepository(b, "/bench")
		tiny(mostPrograms).compareResolve(b, row{what: "nothing changed, resolve 1000 tiny programs", aims: []aim{{atMost: 1500 * time.Millisecond}},
			note: "upstream is not run: it would take minutes"})
	})
}

// useOwnCache has ko keep its records where they go with the benchmark. The build cache
// stays where it is.
func useOwnCache(b *testing.B) {
	b.Helper()
	b.Setenv("GOCACHE", goEnv(b, "GOCACHE"))
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
}

// goEnv returns a variable of the go tool.
func goEnv(b *testing.B, name string) string {
	b.Helper()
	out, err := run(b, repository, "", "go", "env", name)
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(out.stdout)
}

// useRepository has images pushed below a name of their own.
func useRepository(b *testing.B, below string) {
	b.Helper()
	host := os.Getenv("KO_DOCKER_REPO")
	if host == "" {
		b.Fatal("KO_DOCKER_REPO is not set, which upstream needs: set it to a registry that this machine may push to, or run `make bench` on the node of `make cluster`")
	}
	b.Setenv("KO_DOCKER_REPO", host+below)
}

// claim returns a namespace that is the benchmark's.
func claim(b *testing.B, c *cluster, namespace string) string {
	b.Helper()
	c.claimNamespace(b, namespace)
	return namespace
}

// medians does all of them in each round, one after the other, and returns the median of
// how long each took. Each checks what it did itself.
func medians(times int, all ...func()) []time.Duration {
	took := make([][]time.Duration, len(all))
	for range times {
		for i, do := range all {
			start := time.Now()
			do()
			took[i] = append(took[i], time.Since(start))
		}
	}
	middle := make([]time.Duration, len(all))
	for i := range took {
		middle[i] = median(took[i])
	}
	return middle
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
