//go:build e2e

package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BenchmarkEdit measures the time from a saved edit of payments-svc until it is served,
// on this machine by `ko up`, and through its Service in the cluster by `ko reload`, by
// `tilt up` where tilt is on PATH, and, for comparison, with a new image by `ko apply
// -k`, by upstream's `ko apply` and by `tilt up`. Each edit is followed by the same edit
// in another checkout and a bare `go build` of it, and by one with the flags of the
// image: what is more than that is the kit's own. Upstream runs without and with KOCACHE.
func BenchmarkEdit(b *testing.B) {
	c := connect(b)
	c.claimNamespace(b, "api")
	e := &editing{cluster: c, checkout: clone(b), bare: clone(b)}
	b.Run("ko-up", func(b *testing.B) {
		resolveLocalhost()
		l := startUp(b, e.checkout, b.TempDir())
		edited := compare(b, "ko-up", edits, e.bare, func(greeting string) time.Duration {
			return editUntilServed(b, l, e.checkout, greeting)
		})
		measured.add(row{what: "one line changed, until served by ko up", ours: edited.served, note: edited.note()})
	})
	b.Run("new-image", func(b *testing.B) {
		e.newImages(b)
		e.ko(b, "delete", "-k", "kustomize/overlays/dev") // Its successors begin with pods of their own.
	})
	b.Run("ko-reload", func(b *testing.B) {
		e.ko(b, "apply", "-q", "-k", "kustomize/overlays/dev", "--live", "--wait")
		edited := e.deploys(b, "ko-reload", edits, func() {
			e.ko(b, "reload", "./cmd/payments-svc", "--namespace=api", "--selector=app.kubernetes.io/name=payments-svc")
		})
		measured.add(row{what: "one line changed, until served by ko reload", ours: edited.served, note: edited.note()})
	})
	b.Run("tilt-up", func(b *testing.B) { e.tiltDeploys(b, "tilt-up") })
	b.Run("tilt-up-images", func(b *testing.B) { e.tiltDeploys(b, "tilt-up-images", "--images") })
}

// editing is what is edited, and where that is deployed.
type editing struct {
	cluster  *cluster
	checkout string
	bare     string // for what is built without the kit
}

func (e *editing) ko(b *testing.B, args ...string) {
	b.Helper()
	if out, err := runKo(b, e.checkout, onCluster(args...)...); err != nil {
		b.Fatalf("%v\n%s", err, out.stderr)
	}
}

// newImages compares a rollout by ours with that by upstream.
func (e *editing) newImages(b *testing.B) {
	other := newUpstream(b)
	upstream := func(cached bool) func() {
		return func() {
			if _, err := other.apply(b, e.checkout, "kustomize/overlays/dev", cached); err != nil {
				b.Error(err)
			}
		}
	}
	staged := &rollouts{cluster: e.cluster, checkout: e.checkout}
	ours := e.deploys(b, "ko-apply", rounds, func() { staged.apply(b) })
	plain := e.deploys(b, "upstream-ko-apply", rounds, upstream(false))
	cached := e.deploys(b, "upstream-KOCACHE-ko-apply", rounds, upstream(true))
	measured.add(row{what: "one line changed, until served by ko apply -k --wait", note: ours.note(),
		ours: ours.served, upstream: plain.served, cached: cached.served, aims: []aim{{atMost: 3500 * time.Millisecond}},
		stages: append(staged.stages(), stage{"of these, go build alone, with the flags of the image", ours.asImage})})
}

func (e *editing) deploys(b *testing.B, how string, times int, deploy func()) edited {
	b.Helper()
	deploy() // The first builds cold.
	shop := e.cluster.visitor(b)
	return compare(b, how, times, e.bare, func(greeting string) time.Duration {
		return shop.editAndDeploy(b, e.checkout, greeting, deploy)
	})
}

func (e *editing) tiltDeploys(b *testing.B, how string, flags ...string) {
	if _, err := exec.LookPath("tilt"); err != nil {
		b.Skip("tilt is not on PATH: it is not measured")
	}
	tl := &tilt{dir: e.checkout, log: filepath.Join(b.TempDir(), "tilt.log")}
	defer tl.up(b, append([]string{"--", "payments-svc"}, flags...)...)()
	tl.prints(b, "payments-svc │      DONE IN") // It begins with an image of its own.
	shop := e.cluster.visitor(b)
	compare(b, how, edits, e.bare, func(greeting string) time.Duration {
		return shop.editAndDeploy(b, e.checkout, greeting, func() { tl.printsAgain(b, "DONE IN") })
	})
}

// edited has the medians of how long an edit took.
type edited struct {
	served  time.Duration // until it was served
	built   time.Duration // by a bare go build
	asImage time.Duration // by a go build with the flags of the image
}

func (e edited) note() string {
	return ratio(e.served, e.built) + " of a bare go build, which takes " + seconds(e.built) + " s"
}

// compare reports the medians of how long an edit takes to be served and to be built,
// and their ratio.
func compare(b *testing.B, how string, times int, bare string, served func(greeting string) time.Duration) edited {
	b.Helper()
	var here, built, asImage []time.Duration
	for range times {
		greeting := how + time.Now().Format(" 15:04:05.000") // Nothing of it is in Go's build cache.
		here = append(here, served(greeting))
		built = append(built, editAndBuild(b, bare, greeting))
		asImage = append(asImage, editAndBuild(b, bare, greeting+".", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"))
	}
	middle := edited{median(here), median(built), median(asImage)}
	b.ReportMetric(0, "ns/op") // It is of no use.
	b.ReportMetric(middle.served.Seconds(), how+"-s")
	b.ReportMetric(middle.built.Seconds(), "go-build-s")
	b.ReportMetric(middle.asImage.Seconds(), "go-build-of-image-s")
	b.ReportMetric(middle.served.Seconds()/middle.built.Seconds(), how+"/go-build")
	return middle
}

// visitor asks payments-svc through its Service, with a connection for each request.
type visitor struct {
	http.Client
	url string
}

// answerWithin bounds how long a connection may take: as soon as a pod is gone, nothing
// answers there, and until kube-proxy knows that, the visitor would wait for a second
// each time, in which the next pod gets ready.
const answerWithin = 100 * time.Millisecond

// visitor returns one that is in the cluster's network, as the machine of the node is.
func (c *cluster) visitor(b *testing.B) *visitor {
	b.Helper()
	service, err := c.CoreV1().Services("api").Get(b.Context(), "payments-svc", metav1.GetOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return &visitor{
		Client: http.Client{Timeout: time.Second, Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       (&net.Dialer{Timeout: answerWithin}).DialContext,
		}},
		url: "http://" + service.Spec.ClusterIP + "/healthz",
	}
}

// editAndDeploy returns the time until the Service answers with what was edited.
// It waits for the deployment to end, too, as people do before they edit again.
func (v *visitor) editAndDeploy(b *testing.B, checkout, greeting string, deploy func()) time.Duration {
	b.Helper()
	start := time.Now()
	deployed := make(chan struct{})
	edit(b, checkout, greeting)
	go func() {
		defer close(deployed)
		deploy()
	}()
	for !strings.Contains(v.greeting(b.Context()), `"`+greeting+`"`) {
		if time.Since(start) > patience {
			b.Fatalf("%q is never served", greeting)
		}
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(start)
	<-deployed
	return took
}

// greeting returns what payments-svc says, "" while nobody answers.
func (v *visitor) greeting(ctx context.Context) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url, nil)
	if err != nil {
		return ""
	}
	response, err := v.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(said)
}
