//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// edits is how often each side of the comparison is measured.
	edits = 20
	// reloads is how many edits are made under load.
	reloads = 100
	// clients and pause make a load of a few hundred requests per second.
	clients = 4
	pause   = 10 * time.Millisecond
)

// BenchmarkUp measures `ko up` on the five services: how many of the requests fail that
// arrive during a hundred reloads, and the resident memory of the idle services.
func BenchmarkUp(b *testing.B) {
	resolveLocalhost()
	reloaded := clone(b)
	l := startUp(b, reloaded, b.TempDir())
	for b.Loop() {
		b.ReportMetric(float64(resident(b, l))/(1<<20), "five-services-MiB")
		began := time.Now()
		answered, failed := reloadUnderLoad(b, l, reloaded)
		b.ReportMetric(float64(answered), "requests")
		b.ReportMetric(float64(answered)/time.Since(began).Seconds(), "requests/s")
		b.ReportMetric(float64(failed), "failed-requests")
		if failed > 0 {
			b.Errorf("%d of %d requests failed during %d reloads", failed, answered+failed, reloads)
		}
	}
}

// clone copies the repository as it is, so that edits do not touch it.
func clone(b testing.TB) string {
	b.Helper()
	dir := b.TempDir()
	files, err := run(b, repository, "", "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		b.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(files.stdout, "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			b.Fatal(err)
		}
		target := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// edit saves another greeting of payments-svc.
func edit(b testing.TB, checkout, greeting string) {
	b.Helper()
	file := filepath.Join(checkout, "internal/shop/payments/service.go")
	source, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, found := strings.Cut(string(source), `Greeting: "`)
	_, after, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		b.Fatalf("%s has no greeting to edit", file)
	}
	if err := os.WriteFile(file, []byte(before+`Greeting: "`+greeting+`"`+after), 0o644); err != nil {
		b.Fatal(err)
	}
}

func editUntilServed(b *testing.B, l *laptop, checkout, greeting string) time.Duration {
	b.Helper()
	start := time.Now()
	edit(b, checkout, greeting)
	for !strings.Contains(greetingOf(b, l), `"`+greeting+`"`) {
		if time.Since(start) > patience {
			b.Fatalf("%q is never served", greeting)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(start)
}

func greetingOf(b *testing.B, l *laptop) string {
	b.Helper()
	_, body, err := get(b.Context(), l.url("payments-svc")+"/healthz")
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// editAndBuild returns how long `go build` takes after an edit.
func editAndBuild(b *testing.B, checkout, greeting string, flags ...string) time.Duration {
	b.Helper()
	start := time.Now()
	edit(b, checkout, greeting)
	if _, err := run(b, checkout, "", "go", append(append([]string{"build"}, flags...), "-o", filepath.Join(checkout, "payments-svc"), "./cmd/payments-svc")...); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// reloadUnderLoad edits again and again while clients ask, and counts their
// requests.
func reloadUnderLoad(b *testing.B, l *laptop, checkout string) (answered, failed int64) {
	b.Helper()
	var ok, bad atomic.Int64
	done := make(chan struct{})
	var load sync.WaitGroup
	for range clients {
		load.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(pause):
				}
				if ask(l) {
					ok.Add(1)
				} else {
					bad.Add(1)
				}
			}
		})
	}
	for i := range reloads {
		editUntilServed(b, l, checkout, "reload "+strconv.Itoa(i))
	}
	close(done)
	load.Wait()
	return ok.Load(), bad.Load()
}

// ask sends a request with a body, which nobody may send twice.
func ask(l *laptop) bool {
	response, err := http.Post(l.url("payments-svc")+"/payments", "application/json",
		strings.NewReader(`{"user_id": "nobody", "order_id": "none", "amount": 1}`))
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	// It is payments-svc that knows no such order; the front door answers
	// otherwise when it knows no payments-svc.
	return err == nil && response.StatusCode == http.StatusNotFound && response.Header.Get("Content-Type") == "application/problem+json"
}

// resident sums up what the services keep in memory, in bytes (VmRSS of
// proc(5)).
func resident(b *testing.B, l *laptop) int64 {
	b.Helper()
	var sum int64
	for _, process := range processesOf(b, l.state) {
		exe, _, _ := strings.Cut(process, ":")
		status, err := os.ReadFile(filepath.Join(filepath.Dir(exe), "status"))
		if err != nil {
			b.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(status), "VmRSS:")
		kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += kib << 10
	}
	return sum
}
