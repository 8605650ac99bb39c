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
// with the new code, in one run: by upstream `ko apply` and by `ko apply -k` with
// a new image, by `ko reload`, and, where tilt is on PATH, by `tilt up` and by the
// same with images only; against a bare `go build` of the same command after the
// same edit.
func BenchmarkReload(b *testing.B) {
	c := connect(b)
	c.claimNamespace(b, "api")
	checkout, bare, upstream := clone(b), clone(b), buildUpstream(b)
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
		ko := func(args ...string) {
			if out, err := runKo(b, checkout, onCluster(args...)...); err != nil {
				b.Errorf("%v\n%s", err, out.stderr)
			}
		}
		apply := func() { ko("apply", "-q", "-k", "kustomize/overlays/dev", "--wait") }
		apply() // The first of each builds cold.
		report("ko-apply", apply)
		report("upstream-ko-apply", func() { applyUpstream(b, upstream, checkout) })
		ko("delete", "-k", "kustomize/overlays/dev") // Its successors begin with pods of their own.
		ko("apply", "-q", "-k", "kustomize/overlays/dev", "--live", "--wait")
		report("ko-reload", func() {
			ko("reload", "./cmd/payments-svc", "--namespace=api", "--selector=app.kubernetes.io/name=payments-svc")
		})
		if _, err := exec.LookPath("tilt"); err != nil {
			b.Log("tilt is not on PATH: it is not measured")
			continue
		}
		for how, flags := range map[string][]string{"tilt-up": nil, "tilt-up-images": {"--images"}} {
			tl := &tilt{dir: checkout, log: filepath.Join(b.TempDir(), "tilt.log")}
			stop := tl.up(b, append([]string{"--", "payments-svc"}, flags...)...)
			tl.prints(b, "payments-svc │      DONE IN") // It begins with an image of its own.
			report(how, func() { tl.printsAgain(b, "DONE IN") })
			stop()
		}
	}
}

// applyUpstream does what people do without the kit.
func applyUpstream(b *testing.B, upstream, checkout string) {
	b.Helper()
	rendered, err := run(b, checkout, "", "kubectl", "kustomize", "kustomize/overlays/dev")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := run(b, checkout, rendered.stdout, upstream, upstreamApply()...); err != nil {
		b.Error(err)
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
