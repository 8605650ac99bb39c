//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/koshop/koshop/internal/kit/render"
)

// guestbook is a project that is not ours: a module with two commands and a
// kustomization that defines a kind and uses it.
const guestbook = repository + "/internal/kit/cli/testdata/guestbook"

// A project that knows nothing of us: namespace, definition and an object of
// the new kind in one go, removed again in one go.
func TestProjectThatIsNotOurs(t *testing.T) {
	c := connect(t)
	c.claimNamespace(t, "prod")
	overlay := "config/overlays/prod"
	out, err := runKo(t, guestbook, onCluster("apply", "-k", overlay, "--wait")...)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"namespace/prod created", "customresourcedefinition.apiextensions.k8s.io/workers.example.com created",
		"worker.example.com/worker created", "deployment.apps/web created", "configmap/images created"} {
		if !strings.Contains(out.stdout, want+"\n") {
			t.Errorf("it does not say %q", want)
		}
	}
	if out, err = runKo(t, guestbook, onCluster("delete", "-k", overlay)...); err != nil {
		t.Fatal(err)
	}
	c.namespaceGone(t, "prod")
	if out, err = runKo(t, guestbook, onCluster("delete", "-k", overlay)...); err == nil || !strings.Contains(out.stderr, "not found") {
		t.Errorf("deleting what is not there: error %v", err)
	}
	if _, err = runKo(t, guestbook, onCluster("delete", "-k", overlay, "--ignore-not-found")...); err != nil {
		t.Errorf("--ignore-not-found: %v", err)
	}
}

// Upstream's way of working goes on as it was, through kubectl.
func TestApplyFilesAsUpstream(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	out, err := runKo(t, guestbook, append(onCluster("apply", "-f", "config/base/web.yaml"), "--", "--namespace="+namespace)...)
	if err != nil || out.stdout != "deployment.apps/web created\n" {
		t.Fatalf("error %v, output %q", err, out.stdout)
	}
	out, err = runKo(t, guestbook, onCluster("delete", "-f", "config/base/web.yaml", "--namespace="+namespace)...)
	if err != nil || !strings.Contains(out.stdout, `deployment.apps "web" deleted`) {
		t.Errorf("error %v, output %q", err, out.stdout)
	}
}

// What kubectl apply once owned is taken over: a field that is gone from the
// manifests goes from the cluster too.
func TestTakesOverFromKubectlApply(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	dir := t.TempDir()
	configMap := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: " + namespace + "}\n"
	writeFile(t, dir, "settings.yaml", configMap+"data: {kept: \"1\", dropped: \"1\"}\n")
	if _, err := run(t, dir, "", "kubectl", onCluster("apply", "-f", "settings.yaml")...); err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "settings.yaml", configMap+"data: {kept: \"1\"}\n")
	writeFile(t, dir, "kustomization.yaml", "resources: [settings.yaml]\n")
	out, err := runKo(t, dir, onCluster("apply", "-k", ".")...)
	if err != nil || out.stdout != "configmap/settings configured\n" {
		t.Fatalf("error %v, output %q", err, out.stdout)
	}
	got, err := c.CoreV1().ConfigMaps(namespace).Get(t.Context(), "settings", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Data) != 1 || got.Data["kept"] != "1" {
		t.Errorf("data %v, want only what the manifests say", got.Data)
	}
}

func TestCreateRefusesWhatExists(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	dir := t.TempDir()
	writeFile(t, dir, "a.yaml", configMap("a", namespace, "1"))
	writeFile(t, dir, "b.yaml", configMap("b", namespace, "1"))
	writeFile(t, dir, "kustomization.yaml", "resources: [a.yaml]\n")
	if out, err := runKo(t, dir, onCluster("create", "-k", ".")...); err != nil || out.stdout != "configmap/a created\n" {
		t.Fatalf("error %v, output %q", err, out.stdout)
	}
	writeFile(t, dir, "kustomization.yaml", "resources: [a.yaml, b.yaml]\n")
	out, err := runKo(t, dir, onCluster("create", "-k", ".")...)
	if err == nil || !strings.Contains(out.stderr, `configmap/a in namespace `+namespace) || !strings.Contains(out.stderr, "already exists") {
		t.Errorf("error %v, stderr %q", err, out.stderr)
	}
	c.noConfigMap(t, namespace, "b")
}

// One object that the cluster refuses, and the cluster is as it was.
func TestRefusedObjectChangesNothing(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	dir := t.TempDir()
	writeFile(t, dir, "a.yaml", configMap("a", namespace, "1"))
	writeFile(t, dir, "service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: "+namespace+"}\nspec: {ports: [{port: 99999}]}\n")
	writeFile(t, dir, "typo.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo, namespace: "+namespace+"}\ndta: {}\n")
	writeFile(t, dir, "kustomization.yaml", "resources: [a.yaml, service.yaml, typo.yaml]\n")
	out, err := runKo(t, dir, onCluster("apply", "-k", ".")...)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"nothing was changed", "service/web in namespace " + namespace, "spec.ports[0].port", "configmap/typo", "dta"} {
		if !strings.Contains(out.stderr, want) {
			t.Errorf("the error lacks %q: %s", want, out.stderr)
		}
	}
	c.noConfigMap(t, namespace, "a")
}

// The same where the namespace is part of the set: it can only be judged inside
// that namespace, which is gone again afterwards.
func TestRefusalInsideANewNamespaceLeavesNone(t *testing.T) {
	c := connect(t)
	namespace := "e2e-refused"
	c.claimNamespace(t, namespace)
	dir := overlayIn(t, "kustomize/overlays/dev", namespace, `patches:
- target: {kind: Deployment, name: user-svc}
  patch: |
    - {op: replace, path: /spec/template/spec/containers/0/ports/0/containerPort, value: 99999}
`)
	out, err := runKo(t, repository, onCluster("apply", "-k", dir)...)
	if err == nil || !strings.Contains(out.stderr, "deployment.apps/user-svc in namespace "+namespace) {
		t.Errorf("error %v, stderr %q", err, out.stderr)
	}
	if out.stdout != "" {
		t.Errorf("it says that it did something: %q", out.stdout)
	}
	c.namespaceGone(t, namespace)
}

// Nothing is sent while an image is missing.
func TestNothingIsSentBeforeEveryImageIsPublished(t *testing.T) {
	c := connect(t)
	c.claimNamespace(t, "prod")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(guestbook)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "cmd/worker"), "main.go", "package main\n\nfunc main() { undefined() }\n")
	out, err := runKo(t, dir, onCluster("apply", "-k", "config/overlays/prod")...)
	if err == nil || !strings.Contains(out.stderr, "undefined: undefined") || out.stdout != "" {
		t.Errorf("error %v, stdout %q", err, out.stdout)
	}
	c.namespaceGone(t, "prod")
}

func TestKindThatTheClusterDoesNotKnow(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "thing.yaml", "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: it}\n")
	writeFile(t, dir, "kustomization.yaml", "resources: [thing.yaml]\n")
	out, err := runKo(t, dir, onCluster("apply", "-k", ".")...)
	if err == nil || !strings.Contains(out.stderr, "does not know kind Thing of example.org/v1") {
		t.Errorf("error %v, stderr %q", err, out.stderr)
	}
}

func TestUnreachableCluster(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "a.yaml", configMap("a", "default", "1"))
	writeFile(t, dir, "b.yaml", configMap("b", "default", "1"))
	writeFile(t, dir, "kustomization.yaml", "resources: [a.yaml, b.yaml]\n")
	for _, verb := range []string{"apply", "create", "delete"} {
		out, err := runKo(t, dir, verb, "-k", ".", "--", "--server=https://127.0.0.1:1")
		if err == nil || !strings.Contains(out.stderr, "https://127.0.0.1:1") || strings.Count(out.stderr, "connection refused") != 1 {
			t.Errorf("%s: error %v, stderr %q", verb, err, out.stderr)
		}
	}
}

// `ko resolve -k` prints what kubectl takes anywhere.
func TestReleaseIsAcceptedByKubectl(t *testing.T) {
	c := connect(t)
	namespace := c.newNamespace(t)
	release := mustKo(t, "resolve", "-q", "-k", "kustomize/overlays/staging", "--namespace", namespace)
	if release.stderr != "" || strings.Contains(release.stdout, "ko://") {
		t.Errorf("stderr %q, manifests\n%s", release.stderr, release.stdout)
	}
	if _, err := run(t, "", release.stdout, "kubectl", onCluster("apply", "--dry-run=server", "-f", "-")...); err != nil {
		t.Errorf("kubectl refuses the release: %v", err)
	}
}

// A kustomization means what it means to kubectl.
func TestRendersAsKubectlDoes(t *testing.T) {
	dir := guestbook + "/config/overlays/prod"
	want, err := run(t, ".", "", "kubectl", "kustomize", dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := render.Kustomization(dir, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want.stdout {
		t.Errorf("got\n%s\nkubectl renders\n%s", got, want.stdout)
	}
}

func configMap(name, namespace, value string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + namespace + "}\ndata: {value: \"" + value + "\"}\n"
}

func (c *cluster) noConfigMap(t *testing.T, namespace, name string) {
	t.Helper()
	_, err := c.CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("ConfigMap %s is in the cluster (error %v)", name, err)
	}
}
