package render_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

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
	c.replaceFile(files[0], regexp.MustCompile(`"Notes":(\[[^]]*\]|null)`).ReplaceAll(before, []byte(`"Notes":["this is kept"]`)))
	_, err = c.render()
	c.must(err)
	c.replaceFile(files[0], before)
	return slices.Contains(c.notes, "this is kept")
}

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

// What was rendered once is used as long as nothing has changed, with its notes.
func TestCache(t *testing.T) {
	c := newCached(t, shopTree)
	first := c.mustRender("at first")
	notes := c.notes
	if len(notes) != 1 {
		t.Fatalf("it notes %q", notes)
	}
	c.notes = nil
	if c.mustRender("again"); !c.isKept() || !slices.Equal(c.notes, notes) {
		t.Errorf("it is not kept, or its notes are not: %q", c.notes)
	}
	info, err := os.Stat(filepath.Join(c.root, "base/a.txt"))
	c.must(err)
	c.write("base/a.txt", "two\n")
	c.write("base/a.txt", "one\n")
	c.must(os.Chtimes(filepath.Join(c.root, "base/a.txt"), info.ModTime().Add(1), info.ModTime().Add(1)))
	if again := c.mustRender("changed and changed back"); again != first || !c.isKept() {
		t.Errorf("nothing has changed, and it is rendered again:\n%s", again)
	}
	c.write("dev/unused.yaml", "")
	if !c.isKept() {
		t.Error("a file was added that nothing reads, and it is rendered again")
	}
}

// sameResult are the changes after which the result is the same, by another way.
var sameResult = []string{"a directory becomes a file", "another name of that file", "what may be loaded"}

// Whatever changes the result is noticed.
func TestChangesThatTheCacheNotices(t *testing.T) {
	for how, change := range map[string]func(c *cached){
		"a resource":             func(c *cached) { c.edit("base/web.yaml", "name: web", "name: wow") },
		"a file of a generator":  func(c *cached) { c.edit("base/a.txt", "one", "two") },
		"a base's kustomization": func(c *cached) { c.edit("base/kustomization.yaml", "URL=http", "URI=http") },
		"a base of a base":       func(c *cached) { c.edit("base/more/kustomization.yml", "resources", "nameSuffix: -x\nresources") },
		"a component":            func(c *cached) { c.edit("part/kustomization.yaml", "of}", "no}") },
		"a patch":                func(c *cached) { c.edit("dev/patch.yaml", "a: one", "a: two") },
		"a replacement":          func(c *cached) { c.edit("dev/replacement.yaml", "annotations.b", "annotations.c") },
		"the overlay":            func(c *cached) { c.edit("dev/kustomization.yaml", "components", "namePrefix: x-\ncomponents") },
		"a missing file":         func(c *cached) { c.must(os.Remove(filepath.Join(c.root, "dev/patch.yaml"))) },
		"a second kustomization": func(c *cached) { c.write("base/more/kustomization.yaml", "resources: [pod.yaml]\nnamePrefix: y-\n") },
		"another name of that file": func(c *cached) {
			c.must(os.Rename(c.root+"/base/more/kustomization.yml", c.root+"/base/more/Kustomization"))
		},
		"a directory becomes a file": func(c *cached) {
			c.must(os.RemoveAll(c.root + "/base/more"))
			c.write("base/more", shopTree["base/more/pod.yaml"])
		},
		"a file becomes a directory": func(c *cached) {
			c.must(os.Remove(c.root + "/base/web.yaml"))
			c.write("base/web.yaml/kustomization.yaml", "namePrefix: z-\nresources: [s.yaml]\n")
			c.write("base/web.yaml/s.yaml", shopTree["base/web.yaml"])
		},
		"a link": func(c *cached) {
			c.write("other/kustomization.yml", "resources: [pod.yaml]\nnamePrefix: l-\n")
			c.write("other/pod.yaml", shopTree["base/more/pod.yaml"])
			c.must(os.RemoveAll(c.root + "/base/more"))
			c.must(os.Symlink("../other", c.root+"/base/more"))
		},
		"the namespace": func(c *cached) { c.opts.Namespace = "team" },
		"what may be loaded": func(c *cached) {
			c.opts.AnyFile = true
			c.edit("dev/kustomization.yaml", "patch.yaml", "../dev/patch.yaml")
		},
		"the target's content": func(c *cached) {
			c.must(os.RemoveAll(c.root + "/dev"))
			c.write("dev/kustomization.yaml", "resources: [../base/more]\n")
		},
	} {
		t.Run(how, func(t *testing.T) {
			c := newCached(t, shopTree)
			before := c.mustRender("at first")
			if !c.isKept() {
				t.Fatal("it is not kept")
			}
			change(c)
			c.mustRender("changed")
			c.mustRender("changed, again")
			if after, err := c.render(); err == nil && after == before && !slices.Contains(sameResult, how) {
				t.Error("the change has changed nothing")
			}
		})
	}
}

// A relative target means another directory elsewhere.
func TestCacheElsewhere(t *testing.T) {
	c := newCached(t, shopTree)
	for _, directory := range []string{"base", "part/.."} {
		t.Chdir(filepath.Join(c.root, directory))
		for range 2 {
			got, err := render.Kustomization("more", c.opts)
			if _, there := os.Stat("more"); (err == nil) != (there == nil) {
				t.Errorf("in %s: %v\n%s", directory, err, got)
			}
		}
	}
}

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
		"a warning": "resources: [../base]\ncommonLabels: {a: b}\n",
		"a secret":  "secretGenerator:\n- name: s\n  literals: [password=secret]\n",
	} {
		t.Run(how, func(t *testing.T) {
			tree := maps.Clone(shopTree)
			tree["dev/kustomization.yaml"] = kustomization
			c := newCached(t, tree)
			c.mustRender(how)
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

// What is damaged is rendered again, and a cache that cannot be written does no harm.
func TestDamagedCache(t *testing.T) {
	for how, damage := range map[string]func(content []byte) []byte{
		"empty":       func([]byte) []byte { return nil },
		"cut off":     func(content []byte) []byte { return content[:len(content)-9] },
		"no manifest": func(content []byte) []byte { return content[:bytes.IndexByte(content, '\n')+1] },
		"no header":   func(content []byte) []byte { return content[bytes.IndexByte(content, '\n')+1:] },
		"other text":  func([]byte) []byte { return []byte("{}\n") },
		"other manifests": func(content []byte) []byte {
			return bytes.Replace(content, []byte("name: web"), []byte("name: wow"), 1)
		},
	} {
		t.Run(how, func(t *testing.T) {
			c := newCached(t, shopTree)
			c.mustRender("at first")
			file := c.files()[0]
			content, err := os.ReadFile(file)
			c.must(err)
			c.replaceFile(file, damage(content))
			c.mustRender(how)
			if !c.isKept() {
				t.Error("it is not mended")
			}
		})
	}
	t.Run("unwritable", func(t *testing.T) {
		c := newCached(t, shopTree)
		c.opts.Cache.Directory = usercache.Directory(filepath.Join(c.root, "base/a.txt", "cache"))
		c.mustRender("unwritable")
	})
}

// After any edits, the cache answers as kustomize does.
func TestRandomEditsOfACachedKustomization(t *testing.T) {
	edits := 150
	if testing.Short() {
		edits = 40
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	tree := shopTree
	c := newCached(t, tree)
	names := slices.Sorted(maps.Keys(tree))
	for i := range edits {
		name := names[random.IntN(len(names))]
		content := tree[name]
		how := fmt.Sprintf("seed %d, edit %d of %s", seed, i, name)
		switch random.IntN(6) {
		case 0:
			if err := os.Remove(filepath.Join(c.root, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		case 1: // One byte is another one.
			at := random.IntN(len(content))
			c.write(name, content[:at]+string(rune('a'+random.IntN(26)))+content[at+1:])
		case 2:
			c.write(name, content+"# more\n")
		case 3:
			c.opts.Namespace = []string{"", "team"}[random.IntN(2)]
		default:
			c.write(name, content)
		}
		c.mustRender(how)
	}
}
