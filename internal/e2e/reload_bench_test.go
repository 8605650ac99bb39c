//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkReload measures the time from a saved edit until the Service answers
// with the new code, in one run: by `ko reload`, by `tilt up` where tilt is on
// PATH, and by `ko apply -k` with a new image; against a bare `go build` of the
// same command after the same edit.
func BenchmarkReload(b *testing.B) {
	c := connect(b)
	c.claimNamespace(b, "api")
	checkout, bare := clone(b), clone(b)
	apply := func() {
		if out, err := runKo(b, checkout, onCluster("apply", "-q", "-k", "kustomize/live-reload", "--wait")...); err != nil {
			b.Fatalf("%v\n%s", err, out.stderr)
		}
	}
	apply()
	for b.Loop() {
		var built []time.Duration
		for i := range edits {
			built = append(built, editAndBuild(b, bare, "build "+strconv.Itoa(i)))
		}
		b.ReportMetric(median(built).Seconds(), "go-build-s")
		report := func(how string, deploy func()) {
			var served []time.Duration
			for i := range edits {
				served = append(served, c.editAndDeploy(b, checkout, how+" "+strconv.Itoa(i), deploy))
			}
			b.ReportMetric(median(served).Seconds(), how+"-s")
			b.ReportMetric(median(served).Seconds()/median(built).Seconds(), how+"/go-build")
		}
		report("ko-apply", apply)
		report("ko-reload", func() {
			if _, err := runKo(b, checkout, onCluster("reload", "./cmd/payments-svc", "--namespace=api", "--selector=app.kubernetes.io/name=payments-svc")...); err != nil {
				b.Error(err)
			}
		})
		if _, err := exec.LookPath("tilt"); err != nil {
			b.Log("tilt is not on PATH: it is not measured")
			continue
		}
		tl := &tilt{dir: checkout, log: filepath.Join(b.TempDir(), "tilt.log")}
		stop := tl.up(b, "payments-svc")
		tl.prints(b, "payments-svc │      DONE IN") // It begins with an image of its own.
		report("tilt-up", func() { tl.printsAgain(b, "DONE IN") })
		stop()
	}
}

// editAndDeploy returns the time until the Service answers with what was edited.
// It waits for the deployment to end, too, as people do before they edit again.
func (c *cluster) editAndDeploy(b *testing.B, checkout, greeting string, deploy func()) time.Duration {
	b.Helper()
	start := time.Now()
	deployed := make(chan struct{})
	edit(b, checkout, greeting)
	go func() {
		defer close(deployed)
		deploy()
	}()
	for !strings.Contains(c.greeting(b), `"`+greeting+`"`) {
		if time.Since(start) > patience {
			b.Fatalf("%q is never served", greeting)
		}
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(start)
	<-deployed
	return took
}

// greeting returns what payments-svc says through its Service, "" while nobody
// answers.
func (c *cluster) greeting(b *testing.B) string {
	said, err := c.CoreV1().RESTClient().Get().
		AbsPath("/api/v1/namespaces/api/services/payments-svc:http/proxy/healthz").DoRaw(b.Context())
	if err != nil {
		return ""
	}
	return string(said)
}
