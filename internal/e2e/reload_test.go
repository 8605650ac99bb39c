//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Programs are replaced in a pod that goes on as it is; what does not compile,
// and what ends at once, leaves the last good one serving.
func TestReloadInThePod(t *testing.T) {
	c := connect(t)
	c.claimNamespace(t, "api")
	mustKo(t, onCluster("apply", "-k", "kustomize/live-reload", "--wait")...)
	before, err := c.readyPods(t.Context(), "api", "payments-svc", 1)
	if err != nil {
		t.Fatal(err)
	}
	url := c.forward(t, "api", "payments-svc") + "/healthz"
	checkout := clone(t)
	reload := func() (output, error) {
		return runKo(t, checkout, onCluster("reload", "./cmd/payments-svc", "--namespace=api", "--selector=app.kubernetes.io/name=payments-svc")...)
	}
	serves(t, url, `"Hi Mom!"`)
	for _, greeting := range []string{"Hi again!", "Hi once more!"} {
		edit(t, checkout, greeting)
		if out, err := reload(); err != nil {
			t.Fatalf("%v: %s", err, out.stderr)
		}
		serves(t, url, `"`+greeting+`"`)
	}
	extra := filepath.Join(checkout, "internal/shop/payments/extra.go")
	for name, test := range map[string]struct{ source, want string }{
		"does not compile": {"package payments\n\nvar _ = mistake\n", "extra.go:3:9: undefined: mistake"},
		"ends at once":     {"package payments\n\nimport \"os\"\n\nfunc init() { os.Exit(7) }\n", "ended at once: exit code 7"},
	} {
		if err := os.WriteFile(extra, []byte(test.source), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := reload()
		if err == nil || !strings.Contains(out.stderr, test.want) {
			t.Errorf("%s: error %v, stderr %q", name, err, out.stderr)
		}
		serves(t, url, `"Hi once more!"`)
	}
	if err := os.Remove(extra); err != nil {
		t.Fatal(err)
	}
	edit(t, checkout, "Hi at last!")
	if out, err := reload(); err != nil {
		t.Fatalf("%v: %s", err, out.stderr)
	}
	serves(t, url, `"Hi at last!"`)
	after, err := c.readyPods(t.Context(), "api", "payments-svc", 1)
	if err != nil || after[0].UID != before[0].UID || after[0].Status.ContainerStatuses[0].RestartCount != 0 {
		t.Errorf("it is another pod, or was restarted (error %v): %v", err, after)
	}
}

func TestReloadWithoutASupervisor(t *testing.T) {
	namespace := connect(t).newNamespace(t)
	out, err := runKo(t, repository, onCluster("reload", "./cmd/payments-svc", "--namespace="+namespace, "--selector=a=b")...)
	if err == nil || !strings.Contains(out.stderr, "no container runs under live-reload in the 0 pods with a=b in namespace "+namespace) {
		t.Errorf("error %v, stderr %q", err, out.stderr)
	}
}
