package render_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What does not depend on local files alone is rendered each time, as is what kustomize
// warns of, and what is secret.
func TestWhatIsNotKept(t *testing.T) {
	answer := shopTree["base/web.yaml"]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(answer)) }))
	t.Cleanup(server.Close)
	for how, kustomization := range map[string]string{
		"a resource of another host": "resources: [" + server.URL + "/web.yaml]\n",
		"written in capitals":        "resources:\n- HTTP" + strings.TrimPrefix(server.URL, "http") + "/web.yaml\n",
		"a generator's file":         "configMapGenerator:\n- name: c\n  files: [a.txt=" + server.URL + "/a.txt]\n",
		"a patch of another host":    "resources: [../base]\npatches:\n- path: " + server.URL + "/patch.yaml\n",
		"a plugin":                   "resources: [../base]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n  path: " + server.URL + "/patch.yaml\n",
		"an alias of a literal":      "configMapGenerator:\n- name: a\n  literals: [&u 'a.txt=" + server.URL + "/a.txt']\n- name: b\n  files: [*u]\n",
		"an alias of literals":       "configMapGenerator:\n- name: a\n  literals: &u ['a.txt=" + server.URL + "/a.txt']\n- name: b\n  files: *u\n",
		"a binary text":              "resources:\n- !!binary " + base64.StdEncoding.EncodeToString([]byte(server.URL+"/web.yaml")) + "\n",
		"an alias of a key":          "openapi: {? &u '" + server.URL + "/web.yaml' : x}\nresources: [*u]\n",
		"an alias in labels":         "resources: [../base]\nlabels: [{pairs: {literals: &u '" + server.URL + "/web.yaml'}}]\npatches: [{path: *u}]\n",
		"a generator as a plugin":    "generators:\n- |-\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: c}\n  files: [a.txt=" + server.URL + "/a.txt]\n",
	} {
		t.Run(how, func(t *testing.T) {
			tree := maps.Clone(shopTree)
			tree["dev/kustomization.yaml"] = kustomization
			c := newCached(t, tree)
			answer = shopTree["base/web.yaml"]
			first := c.mustRender("at first")
			answer = strings.Replace(answer, "externalName: '", "externalName: '1", 1)
			if second := c.mustRender("changed"); second == first {
				t.Errorf("the other host's answer is not in it:\n%s", second)
			}
			if len(c.files()) > 0 {
				t.Error("it is kept")
			}
		})
	}
	for how, kustomization := range map[string]string{
		"a warning":          "resources: [../base]\ncommonLabels: {a: b}\n",
		"a logged warning":   "resources: [labelled.yaml]\npatches:\n- target: {labelSelector: 'tier>3'}\n  patch: '- {op: add, path: /metadata/annotations, value: {a: b}}'\n",
		"a schema":           "resources: [../base]\ncrds: [crd.json]\n",
		"a generated secret": "secretGenerator:\n- name: s\n  literals: [password=secret]\n",
		"a local secret":     "secretGenerator:\n- name: s\n  literals: [password=secret]\n  options: {annotations: {config.kubernetes.io/local-config: 'true'}}\n",
		"a deleted secret":   "resources: [../secret]\npatches:\n- patch: '{apiVersion: v1, kind: Secret, metadata: {name: s}, $patch: delete}'\n",
		"a used secret":      "resources: [../secret, ../base]\nreplacements:\n- source: {name: s, fieldPath: stringData.p}\n  targets:\n  - select: {kind: Pod}\n    fieldPaths: [metadata.annotations.b]\n    options: {create: true}\n",
	} {
		t.Run(how, func(t *testing.T) {
			tree := maps.Clone(shopTree)
			tree["dev/crd.json"] = "{}"
			tree["dev/labelled.yaml"] = strings.Replace(tree["base/web.yaml"], "name: web", "name: web, labels: {tier: x}", 1)
			tree["secret/kustomization.yaml"] = "resources: [secret.yaml]\n"
			tree["secret/secret.yaml"] = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {config.kubernetes.io/local-config: 'true'}}\nstringData: {p: secret}\n"
			tree["dev/kustomization.yaml"] = kustomization
			c := newCached(t, tree)
			if _, err := c.render(); err != nil {
				t.Error(err)
			}
			if len(c.files()) > 0 {
				t.Error("it is kept")
			}
		})
	}
}

// A kustomization file may be a link to a file of any name.
func TestLinkedKustomizationThatIsNotKept(t *testing.T) {
	tree := maps.Clone(shopTree)
	tree["base/odd.txt"] = "commonLabels: {a: b}\nresources: [web.yaml]\n"
	delete(tree, "base/kustomization.yaml")
	c := newCached(t, tree)
	c.must(os.Symlink("odd.txt", filepath.Join(c.root, "base/kustomization.yaml")))
	c.edit("dev/kustomization.yaml", "replacements:\n- path: replacement.yaml\n", "")
	c.mustRender("linked")
	if len(c.files()) > 0 {
		t.Error("it is kept")
	}
}

// A base that kustomize clones with git is cloned each time.
func TestClonedBaseThatIsNotKept(t *testing.T) {
	repository := writeTree(t, map[string]string{"deploy/kustomization.yaml": "resources: [web.yaml]\n", "deploy/web.yaml": shopTree["base/web.yaml"]})
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	git("init", "--quiet", "--initial-branch=main")
	git("add", ".")
	git("commit", "--quiet", "--message=one")
	c := newCached(t, map[string]string{"dev/kustomization.yaml": "resources: ['file://" + repository + "//deploy?ref=main']\n"})
	first := c.mustRender("at first")
	if err := os.WriteFile(filepath.Join(repository, "deploy/web.yaml"), []byte(strings.Replace(shopTree["base/web.yaml"], "name: web", "name: wow", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	git("commit", "--quiet", "--all", "--message=two")
	if second := c.mustRender("committed"); second == first {
		t.Errorf("the new commit is not in it:\n%s", second)
	}
	if len(c.files()) > 0 {
		t.Error("it is kept")
	}
}
