package render_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/render"
)

// shop is a base that names its own namespace and copies it, and an overlay of
// it that does the same: both copies are made by replacements.
var shop = map[string]string{
	"base/kustomization.yaml": `namespace: base
resources: [all.yaml]
replacements:
- source: {kind: Namespace, fieldPath: metadata.name}
  targets:
  - select: {kind: ConfigMap}
    fieldPaths: [data.base]
`,
	"base/all.yaml": `apiVersion: v1
kind: Namespace
metadata: {name: any}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {base: "", overlay: ""}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: robot}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects:
- {kind: ServiceAccount, name: robot}
- {kind: ServiceAccount, name: guest, namespace: elsewhere}
`,
	"overlay/kustomization.yaml": `# Everything of this file but one line stays.
resources: [../base]
namespace: overlay # this one
replacements:
- source: {kind: Namespace, fieldPath: metadata.name}
  targets:
  - select: {kind: ConfigMap}
    fieldPaths: [data.overlay]
`,
}

// writeTree writes files below a new directory.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mustRender renders a kustomization that is in order.
func mustRender(t *testing.T, target, namespace string) string {
	t.Helper()
	manifests, err := render.Kustomization(target, render.Options{Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return string(manifests)
}

const moved = `apiVersion: v1
kind: Namespace
metadata:
  name: team1
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: robot
  namespace: team1
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: robot
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: view
subjects:
- kind: ServiceAccount
  name: robot
  namespace: team1
- kind: ServiceAccount
  name: guest
  namespace: elsewhere
---
apiVersion: v1
data:
  base: base
  overlay: team1
kind: ConfigMap
metadata:
  name: settings
  namespace: team1
`

// The Namespace is renamed, subjects go along, and replacements of the
// kustomization that is moved see where to; its bases stay as they are.
func TestNamespaceMovesTheKustomization(t *testing.T) {
	dir := writeTree(t, shop)
	if got := mustRender(t, filepath.Join(dir, "overlay"), "team1"); got != moved {
		t.Errorf("got\n%s\nwant\n%s", got, moved)
	}
	for name, content := range shop {
		if now, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(now) != content {
			t.Errorf("error %v, %s is now\n%s", err, name, now)
		}
	}
}

func TestNamespaceMeansWhatTheFileWouldSay(t *testing.T) {
	resources := map[string]string{"base/kustomization.yaml": shop["base/kustomization.yaml"], "base/all.yaml": shop["base/all.yaml"]}
	for name, test := range map[string]struct{ file, before, after string }{
		"another name":        {"kustomization.yaml", "namespace: x\nresources: [../base]\n", "namespace: team1\nresources: [../base]\n"},
		"none before":         {"kustomization.yaml", "resources: [../base]\n", "resources: [../base]\nnamespace: team1\n"},
		"kustomization.yml":   {"kustomization.yml", "resources: [../base]\n", "resources: [../base]\nnamespace: team1\n"},
		"Kustomization":       {"Kustomization", "namespace: x\nresources: [../base]\n", "namespace: team1\nresources: [../base]\n"},
		"twice":               {"kustomization.yaml", "namespace: x\nresources: [../base]\nnamespace: y\n", "namespace: team1\nresources: [../base]\n"},
		"of a wrong kind":     {"kustomization.yaml", "namespace: [x]\nresources: [../base]\n", "namespace: team1\nresources: [../base]\n"},
		"in JSON":             {"kustomization.yaml", `{"namespace": "x", "resources": ["../base"]}`, `{"namespace": "team1", "resources": ["../base"]}`},
		"after --- and notes": {"kustomization.yaml", "# note\n---\n# note\nresources: [../base] # note\n", "resources: [../base]\nnamespace: team1\n"},
		"with anchors and text": {"kustomization.yaml",
			"resources: [../base]\ncommonAnnotations: {a: &a x, b: *a}\npatches:\n- patch: |\n    {apiVersion: v1, kind: ConfigMap, metadata: {name: settings},\n     data: {namespace: x}}\n",
			"resources: [../base]\nnamespace: team1\ncommonAnnotations: {a: x, b: x}\npatches:\n- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {namespace: x}}'\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, resources)
			target := filepath.Join(dir, "overlay")
			write := func(content string) {
				t.Helper()
				if err := os.MkdirAll(target, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(target, test.file), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write(test.after)
			want := mustRender(t, target, "")
			write(test.before)
			if got := mustRender(t, target, "team1"); got != want || !strings.Contains(got, "namespace: team1") {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A name that YAML would read as a number is still a name.
func TestNamespaceOfDigits(t *testing.T) {
	dir := writeTree(t, shop)
	if got := mustRender(t, filepath.Join(dir, "overlay"), "42"); !strings.Contains(got, `name: "42"`) {
		t.Errorf("got\n%s", got)
	}
}

// A remote kustomization is cloned to a place that only kustomize knows.
func TestNamespaceMovesARemoteKustomization(t *testing.T) {
	dir := writeTree(t, shop)
	for _, args := range [][]string{{"init", "--quiet", "--initial-branch=main"}, {"add", "."},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=shop"}} {
		git := exec.Command("git", args...)
		git.Dir = dir
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	if got := mustRender(t, "file://"+dir+"//overlay?ref=main", "team1"); got != moved {
		t.Errorf("got\n%s\nwant\n%s", got, moved)
	}
}

func TestNamespaceOfABrokenKustomization(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"no YAML":             {"resources: [", "setting its namespace to team1: "},
		"no fields":           {"- resources\n", "setting its namespace to team1: "},
		"nothing":             {"", "empty"},
		"an unknown field":    {"resurces: []\n", `unknown field "resurces"`},
		"a resource too many": {"resources: [none.yaml]\n", "none.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{"kustomization.yaml": test.content, "all.yaml": shop["base/all.yaml"]})
			_, err := render.Kustomization(dir, render.Options{Namespace: "team1"})
			if err == nil || !strings.Contains(err.Error(), "rendering kustomization "+dir) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// Where it is moved to does not change what it is made of.
func TestFilesOfAMovedKustomization(t *testing.T) {
	target := filepath.Join(writeTree(t, shop), "overlay")
	_, want, err := render.KustomizationFiles(target, render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := render.KustomizationFiles(target, render.Options{Namespace: "team1"})
	if err != nil || !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("error %v, files %q, want %q", err, got, want)
	}
}
