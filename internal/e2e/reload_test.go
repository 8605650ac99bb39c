//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// livePayments is payments-svc under live reload, and the checkout it is made of.
type livePayments struct {
	*cluster
	checkout string
	url      string // of its greeting
	pod      corev1.Pod
}

func deployLive(t *testing.T) *livePayments {
	t.Helper()
	c := connect(t)
	c.claimNamespace(t, "api")
	p := &livePayments{cluster: c, checkout: clone(t)}
	if out, err := runKo(t, p.checkout, onCluster("apply", "-q", "-k", "kustomize/overlays/dev", "--live", "--wait")...); err != nil {
		t.Fatalf("%v: %s", err, out.stderr)
	}
	pods, err := c.readyPods(t.Context(), "api", "payments-svc", 1)
	if err != nil {
		t.Fatal(err)
	}
	p.pod, p.url = pods[0], c.forward(t, "api", "payments-svc")+"/healthz"
	serves(t, p.url, `"Hi Mom!"`)
	c.passes(t, "api", "users", "products", "deploy", "duplicate")
	t.Cleanup(func() { p.isTheSamePod(t) })
	return p
}

// isTheSamePod fails if there is another pod by now, or another container.
func (p *livePayments) isTheSamePod(t *testing.T) {
	t.Helper()
	pods, err := p.pods(context.WithoutCancel(t.Context()), "api", "payments-svc")
	if err != nil || len(pods) != 1 || pods[0].UID != p.pod.UID || pods[0].Status.ContainerStatuses[0].RestartCount != 0 {
		t.Errorf("it is another pod, or was restarted (error %v): %v", err, pods)
	}
}

func (p *livePayments) reload(t *testing.T, flags ...string) (output, error) {
	t.Helper()
	args := append([]string{"reload", "./cmd/payments-svc", "--namespace=api", "--selector=app.kubernetes.io/name=payments-svc"}, flags...)
	return runKo(t, p.checkout, onCluster(args...)...)
}

func (p *livePayments) mustReload(t *testing.T, flags ...string) output {
	t.Helper()
	out, err := p.reload(t, flags...)
	if err != nil {
		t.Fatalf("%v: %s", err, out.stderr)
	}
	return out
}

// extra is a file of the program that can break it.
func (p *livePayments) extra() string {
	return filepath.Join(p.checkout, "internal/shop/payments/extra.go")
}

func (p *livePayments) write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// broken are ways in which an edit can be wrong, and what the developer is told.
var broken = []struct{ how, source, want string }{
	{"does not compile", "package payments\n\nvar _ = mistake\n", "extra.go:3:9: undefined: mistake"},
	{"ends at once", "package payments\n\nimport \"os\"\n\nfunc init() { os.Exit(7) }\n", "ended at once: exit code 7"},
	{"panics", "package payments\n\nfunc init() { panic(\"no\") }\n", "ended at once: exit code 2"},
}

// What is sent is the program of the image, byte for byte, as long as nothing is
// edited: then nothing happens in the pod.
func TestReloadOfTheSameProgram(t *testing.T) {
	p := deployLive(t)
	out := p.mustReload(t)
	if !strings.Contains(out.stderr, ", 1 kB sent") {
		t.Errorf("more is sent than the news that there is none: %s", out.stderr)
	}
	said, err := p.CoreV1().Pods("api").GetLogs(p.pod.Name, &corev1.PodLogOptions{}).DoRaw(t.Context())
	if err != nil || strings.Contains(string(said), "stopp") {
		t.Errorf("the program was stopped (error %v): %s", err, said)
	}
}

// Many edits in a row, some of them broken, end with the last good one serving, in a
// pod that goes on as it is.
func TestManyEditsInAPod(t *testing.T) {
	p := deployLive(t)
	good := "Hi Mom!"
	for i := range reloadCount(t) {
		if i%5 != 3 {
			good = fmt.Sprintf("Hi number %d!", i)
			edit(t, p.checkout, good)
			p.mustReload(t)
			serves(t, p.url, `"`+good+`"`)
			continue
		}
		wrong := broken[i/5%len(broken)]
		p.write(t, p.extra(), wrong.source)
		out, err := p.reload(t)
		if err == nil || !strings.Contains(out.stderr, wrong.want) {
			t.Errorf("edit %d, which %s: error %v, stderr %q", i, wrong.how, err, out.stderr)
		}
		serves(t, p.url, `"`+good+`"`)
		if err := os.Remove(p.extra()); err != nil {
			t.Fatal(err)
		}
	}
}

// A program that ends only after its sender has been told that it runs gives way
// to the one before, too.
func TestReloadOfAProgramThatEndsSoon(t *testing.T) {
	p := deployLive(t)
	p.write(t, p.extra(), "package payments\n\nimport (\n\t\"os\"\n\t\"time\"\n)\n\nfunc init() { time.AfterFunc(8*time.Second, func() { os.Exit(7) }) }\n")
	edit(t, p.checkout, "Hi for a moment!")
	p.mustReload(t)
	serves(t, p.url, `"Hi for a moment!"`)
	serves(t, p.url, `"Hi Mom!"`)
}

// Whoever sends what cannot be received is told so, even in the middle of it: a
// runtime does not end an exec whose program leaves some of its stdin unread.
func TestARefusalInThePodEndsTheExec(t *testing.T) {
	p := deployLive(t)
	stream := fmt.Sprintf(`{"protocol": %d, "executable": %q, "size": 4000000, "base": %q}`+"\n", wire.Protocol, strings.Repeat("0", 64), strings.Repeat("1", 64)) + strings.Repeat("x", 3_000_000)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	exec := exec.CommandContext(ctx, "kubectl", append(onCluster(), "exec", "--stdin", "--namespace=api", p.pod.Name, "--",
		"/live-reload/live-reload", "receive", "/live-reload-store")...)
	exec.Stdin = strings.NewReader(stream)
	out, err := exec.CombinedOutput()
	if err == nil || ctx.Err() != nil || !strings.Contains(string(out), strings.Repeat("1", 64)+", which is not here") {
		t.Errorf("error %v, output %s", err, out)
	}
	serves(t, p.url, `"Hi Mom!"`)
}

func TestReloadWithoutASupervisor(t *testing.T) {
	namespace := connect(t).newNamespace(t)
	out, err := runKo(t, repository, onCluster("reload", "./cmd/payments-svc", "--namespace="+namespace, "--selector=a=b")...)
	if err == nil || !strings.Contains(out.stderr, "there are no pods with a=b in namespace "+namespace) {
		t.Errorf("error %v, stderr %q", err, out.stderr)
	}
}
