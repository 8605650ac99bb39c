package render_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kit/usercache"
)

// cached is a kustomization that is rendered with a cache.
type cached struct {
	*testing.T
	root string
	render.Cache
	opts  render.Options
	notes []string
}

// shopTree has a base, an overlay, a component, and most kinds of files that kustomize reads.
var shopTree = map[string]string{
	"base/kustomization.yaml":     "resources: [web.yaml, more]\nconfigMapGenerator:\n- name: settings\n  files: [a.txt]\n  literals: [URL=http://web/]\n",
	"base/web.yaml":               "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {externalName: 'http://example.com'}\n",
	"base/a.txt":                  "one\n",
	"base/more/kustomization.yml": "resources: [pod.yaml]\n",
	"base/more/pod.yaml":          "apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec: {containers: [{name: pod, image: 'ko://example.com/cmd/pod:1'}]}\n",
	"part/kustomization.yaml":     "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels:\n- pairs: {part: of}\n",
	"dev/kustomization.yaml":      "resources: [../base]\ncomponents: [../part]\npatches:\n- path: patch.yaml\nreplacements:\n- path: replacement.yaml\n",
	"dev/patch.yaml":              "apiVersion: v1\nkind: Service\nmetadata: {name: web, annotations: {a: one}}\n",
	"dev/replacement.yaml":        "source: {kind: Service, name: web, fieldPath: metadata.annotations.a}\ntargets:\n- select: {kind: Pod}\n  fieldPaths: [metadata.annotations.b]\n  options: {create: true}\n",
}

func newCached(t *testing.T, files map[string]string) *cached {
	t.Helper()
	c := &cached{T: t, root: writeTree(t, files), Cache: render.Cache{Directory: usercache.Directory(t.TempDir())}}
	c.opts.Cache = c.Cache
	c.opts.Note = func(text string) { c.notes = append(c.notes, text) }
	return c
}

func (c *cached) render() (string, error) {
	manifests, err := render.Kustomization(filepath.Join(c.root, "dev"), c.opts)
	return string(manifests), err
}

// mustRender renders with the cache, and fails unless that is what is rendered without it.
func (c *cached) mustRender(how string) string {
	c.Helper()
	got, err := c.render()
	opts := c.opts
	opts.Cache, opts.Note = render.Cache{}, nil
	want, wantErr := render.Kustomization(filepath.Join(c.root, "dev"), opts)
	if got != string(want) || (err == nil) != (wantErr == nil) {
		c.Fatalf("%s: with the cache (error %v)\n%s\nwithout (error %v)\n%s", how, err, got, wantErr, want)
	}
	return got
}

// isKept reports whether the next rendering takes what is kept: it passes on a note that is
// written into the file.
func (c *cached) isKept() bool {
	c.Helper()
	files, notes := c.files(), c.notes
	defer func() { c.notes = notes }()
	if len(files) == 0 {
		return false
	}
	before, err := os.ReadFile(files[0])
	c.must(err)
	_, entry, _ := bytes.Cut(before, []byte("\n"))
	entry = regexp.MustCompile(`"Notes":(\[[^]]*\]|null)`).ReplaceAll(entry, []byte(`"Notes":["this is kept"]`))
	c.replaceFile(files[0], sealed(entry))
	_, err = c.render()
	c.must(err)
	c.replaceFile(files[0], before)
	return slices.Contains(c.notes, "this is kept")
}

// sealed returns the content of a file in the cache that is not damaged.
func sealed(entry []byte) []byte { return fmt.Appendf(nil, "%x\n%s", sha256.Sum256(entry), entry) }

func (c *cached) files() []string {
	c.Helper()
	files, err := filepath.Glob(filepath.Join(string(c.Directory), "*"))
	if err != nil {
		c.Fatal(err)
	}
	return files
}

func (c *cached) replaceFile(path string, content []byte) {
	c.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		c.Fatal(err)
	}
}

func (c *cached) write(name, content string) {
	c.Helper()
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.Fatal(err)
	}
	c.replaceFile(path, []byte(content))
}

func (c *cached) edit(name, old, now string) {
	c.Helper()
	content, err := os.ReadFile(filepath.Join(c.root, name))
	if err != nil || !strings.Contains(string(content), old) {
		c.Fatalf("%s has no %q (error %v)", name, old, err)
	}
	c.write(name, strings.Replace(string(content), old, now, 1))
}

func (c *cached) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}
