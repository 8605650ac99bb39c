package render_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/render"
)

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
var sameResult = []string{"a directory becomes a file", "another name of that file"}

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

// What may be loaded is part of the question: a result that took a file from elsewhere is
// not used where that is forbidden.
func TestCacheOfRestrictedFiles(t *testing.T) {
	tree := maps.Clone(shopTree)
	tree["dev/kustomization.yaml"] = strings.Replace(tree["dev/kustomization.yaml"], "path: patch.yaml", "path: ../part/patch.yaml", 1)
	tree["part/patch.yaml"] = tree["dev/patch.yaml"]
	c := newCached(t, tree)
	for i, anyFile := range []bool{true, false, true, false} {
		c.opts.AnyFile = anyFile
		c.mustRender(fmt.Sprint(i))
	}
}

// Another program renders anew.
func TestCacheOfAnotherProgram(t *testing.T) {
	c := newCached(t, shopTree)
	c.mustRender("at first")
	program, err := os.Executable()
	c.must(err)
	info, err := os.Stat(program)
	c.must(err)
	t.Cleanup(func() { c.must(os.Chtimes(program, info.ModTime(), info.ModTime())) })
	c.must(os.Chtimes(program, info.ModTime(), info.ModTime().Add(time.Second)))
	if c.isKept() {
		t.Error("what another program rendered is used")
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
