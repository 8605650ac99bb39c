//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// actorImage publishes the actor, once.
var actorImage = sync.OnceValues(func() (string, error) {
	ko := exec.Command(os.Getenv("KO"), "build", "--base-import-paths", "./internal/e2e/actor")
	ko.Dir = repository
	out, err := ko.Output()
	return strings.TrimSpace(string(out)), err
})

// manifestsIn returns a kustomization of manifests, in which NS stands for the
// namespace.
func manifestsIn(t *testing.T, namespace, manifests string) string {
	t.Helper()
	image, err := actorImage()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFile(t, dir, "kustomization.yaml", "namespace: "+namespace+"\nresources: [all.yaml]\n")
	writeFile(t, dir, "all.yaml", strings.NewReplacer("NS", namespace, actor, image).Replace(manifests))
	return dir
}

// applyAndWait applies manifests, in which NS stands for the namespace, to it.
func applyAndWait(t *testing.T, namespace, manifests string, flags ...string) (output, error) {
	t.Helper()
	dir := manifestsIn(t, namespace, manifests)
	return runKo(t, repository, append(onCluster("apply", "-k", dir), flags...)...)
}

// A wait ends as soon as it is certain that it is in vain, and says why.
func TestBrokenDeploys(t *testing.T) { breakDeploys(t) }

// It does so on a slow link as well.
func TestBrokenDeploysFarAway(t *testing.T) {
	breakDeploys(t, "--kubeconfig="+farAway(t, 100*time.Millisecond))
}

func breakDeploys(t *testing.T, flags ...string) {
	c := connect(t)
	names := slices.Sorted(maps.Keys(brokenDeploys))
	for i, name := range names {
		test := brokenDeploys[name]
		if len(flags) > 0 && i%3 > 0 {
			continue // Far away, a third is enough to see what takes longer.
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := c.newNamespace(t)
			if test.first != "" {
				if _, err := applyAndWait(t, namespace, test.first, "--wait=false", "--force-conflicts"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(6 * time.Second) // Until controllers have seen it.
			}
			begin := time.Now()
			out, err := applyAndWait(t, namespace, test.manifests, append(flags, "--wait", "--timeout=90s")...)
			t.Logf("%q took %s", name, time.Since(begin).Round(100*time.Millisecond))
			if err == nil || strings.Contains(out.stderr, "have passed") {
				t.Errorf("error %v, stderr %s", err, out.stderr)
			}
			for _, want := range append(test.want, "kept: ") {
				if !strings.Contains(out.stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, out.stderr)
				}
			}
		})
	}
}

// What is not ready in time is said to be what it was last seen to be.
func TestWaitNotInTime(t *testing.T) {
	c := connect(t)
	never := deployment("web", pod(act("-ready=-1s", "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1, timeoutSeconds: 5}")))
	out, err := applyAndWait(t, c.newNamespace(t), never, "--wait", "--timeout=40s")
	for _, want := range []string{"kept: ", "40s have passed", "deployment.apps/web: Available: 0/1", "Readiness probe failed: HTTP probe failed with statuscode: 503"} {
		if err == nil || !strings.Contains(out.stderr, want) {
			t.Errorf("error %v, stderr lacks %q: %s", err, want, out.stderr)
		}
	}
}

// What takes its time is waited for.
func TestLateDeploys(t *testing.T) {
	c := connect(t)
	for name, manifests := range lateDeploys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := c.newNamespace(t)
			manifests := strings.ReplaceAll(manifests, slowRegistry+"/"+actor, throughSlowLink(t))
			if out, err := applyAndWait(t, namespace, manifests, "--wait", "--timeout=8m"); err != nil {
				t.Errorf("error %v, stderr %s", err, out.stderr)
			}
		})
	}
}

// What held up a deploy that failed may come with the next one, which is given time to
// try it again.
func TestRepairingDeploys(t *testing.T) {
	c := connect(t)
	const (
		and       = "\n---\n"
		secret    = "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: b}}"
		configMap = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {a: b}}"
		account   = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: s}}"
		noPods    = `{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: "0"}}}`
		somePods  = `{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: "5"}}}`
		fromS     = "envFrom: [{secretRef: {name: s}}]"
	)
	withSecret := deployment("web", pod(act("", fromS)))
	withVolume := deployment("web", pod(act("", "volumeMounts: [{name: v, mountPath: /v}]"), "volumes: [{name: v, configMap: {name: m}}]"))
	withAccount := deployment("web", pod(act(""), "serviceAccountName: s"))
	plain := deployment("web", pod(act("")))
	for name, test := range map[string]struct{ before, broken, repaired string }{
		"a Secret":             {"", withSecret, withSecret + and + secret},
		"a ConfigMap's volume": {"", withVolume, withVolume + and + configMap},
		"a ServiceAccount":     {"", withAccount, withAccount + and + account},
		"a quota":              {noPods, plain, plain + and + somePods},
		"a Secret, and another version of a StatefulSet": {"", statefulSet("db", pod(act("", fromS))), statefulSet("db", pod(act("-after=1s", fromS))) + and + secret},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := c.newNamespace(t)
			if test.before != "" {
				if _, err := applyAndWait(t, namespace, test.before); err != nil {
					t.Fatal(err)
				}
				time.Sleep(6 * time.Second) // Until controllers have seen it.
			}
			if out, err := applyAndWait(t, namespace, test.broken, "--wait"); err == nil {
				t.Errorf("it was not broken: %s", out.stderr)
			}
			if out, err := applyAndWait(t, namespace, test.repaired, "--atomic"); err != nil {
				t.Errorf("error %v, stderr %s", err, out.stderr)
			}
		})
	}
}

// throughSlowLink returns the actor's image at a registry that needs seconds to answer.
func throughSlowLink(t *testing.T) string {
	t.Helper()
	image, err := actorImage()
	if err != nil {
		t.Fatal(err)
	}
	registry, name, _ := strings.Cut(image, "/")
	return slowLink(t, registry, 3*time.Second) + "/" + name
}

// With --atomic, what was there before is there again.
func TestAtomicDeploy(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	if _, err := applyAndWait(t, namespace, deployment("web", pod(act(""))), "--wait"); err != nil {
		t.Fatal(err)
	}
	broken := deployment("web", pod(act("-exit=3"))) + "\n---\n" + configMap("settings", namespace, "new")
	out, err := applyAndWait(t, namespace, broken, "--atomic")
	if err == nil || !strings.Contains(out.stderr, "undone: the cluster is as it was: ") || !strings.Contains(out.stderr, "the actor ends with 3") {
		t.Errorf("error %v, stderr %s", err, out.stderr)
	}
	got, err := run(t, "", "", "kubectl", onCluster("get", "deployments,configmaps", "--namespace="+namespace, "--field-selector=metadata.name!=kube-root-ca.crt",
		"-o=jsonpath={range .items[*]}{.kind}/{.metadata.name} {.spec.template.spec.containers[0].args}{\"\\n\"}{end}")...)
	if want := fmt.Sprintf("Deployment/web %s\n", ""); err != nil || strings.ReplaceAll(got.stdout, "[]", "") != want {
		t.Errorf("error %v, there are %q, want %q", err, got.stdout, want)
	}
}

// A StatefulSet whose new version is undone runs the old one again, though its
// controller waits for the pod of the new one.
func TestAtomicStatefulSet(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	good := statefulSet("db", pod(act("", "readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}")))
	if _, err := applyAndWait(t, namespace, good, "--wait"); err != nil {
		t.Fatal(err)
	}
	out, err := applyAndWait(t, namespace, statefulSet("db", pod("{name: c, image: 'localhost:5001/e2e-none:1'}")), "--atomic")
	if err == nil || !strings.Contains(out.stderr, "undone: the cluster is as it was: ") || strings.Contains(out.stderr, "partly") {
		t.Errorf("error %v, stderr %s", err, out.stderr)
	}
	if out, err := applyAndWait(t, namespace, good, "--wait"); err != nil {
		t.Errorf("the old version: error %v, stderr %s", err, out.stderr)
	}
}

// On a terminal it waits without being asked to, and elsewhere it does not.
func TestWaitOnATerminal(t *testing.T) {
	c := connect(t)
	const broken = "with exit code 3"
	if out, err := applyAndWait(t, c.newNamespace(t), deployment("web", pod(act("-exit=3")))); err != nil || strings.Contains(out.stderr, broken) {
		t.Errorf("into a pipe: error %v, stderr %s", err, out.stderr)
	}
	for flags, waits := range map[string]bool{"": true, " --wait=false": false} {
		dir := manifestsIn(t, c.newNamespace(t), deployment("web", pod(act("-exit=3"))))
		screen, err := run(t, repository, "", "script", "--quiet", "--return", "--command", koPath(t)+" "+strings.Join(onCluster("apply", "-k", dir), " ")+flags, os.DevNull)
		if waited := strings.Contains(screen.stdout, broken); waited != waits || (err != nil) != waits {
			t.Errorf("with %q: error %v, the screen shows\n%s", flags, err, screen.stdout)
		}
	}
}
