package render_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/usercache"
)

// With Renew, a result is replaced.
func TestRenewedCache(t *testing.T) {
	c := newCached(t, shopTree)
	first := c.mustRender("at first")
	file := c.files()[0]
	content, err := os.ReadFile(file)
	c.must(err)
	_, entry, _ := bytes.Cut(content, []byte("\n"))
	entry = bytes.Replace(entry, []byte("name: web"), []byte("name: wrong"), 1)
	c.replaceFile(file, sealed(entry))
	if got, err := c.render(); err != nil || !strings.Contains(got, "wrong") {
		t.Fatalf("it is not used: error %v\n%s", err, got)
	}
	c.opts.Cache.Renew = true
	c.mustRender("renewed")
	c.opts.Cache.Renew = false
	if got := c.mustRender("again"); got != first {
		t.Errorf("the wrong one is still there:\n%s", got)
	}
}

// JSON cannot hold each name of a file.
func TestOddNames(t *testing.T) {
	c := newCached(t, map[string]string{"dev/kustomization.yaml": "resources: [link.yaml]\n"})
	for _, name := range []string{"caf\xe9.yaml", "caf\ufffd.yaml"} {
		c.write("dev/"+name, shopTree["base/web.yaml"])
	}
	c.must(os.Symlink("caf\xe9.yaml", filepath.Join(c.root, "dev/link.yaml")))
	c.mustRender("at first")
	c.edit("dev/caf\xe9.yaml", "name: web", "name: wow")
	c.mustRender("changed")
}

// The cache also works if the working directory was deleted.
func TestCacheWithoutAWorkingDirectory(t *testing.T) {
	c := newCached(t, shopTree)
	gone := filepath.Join(t.TempDir(), "gone")
	c.must(os.Mkdir(gone, 0o700))
	t.Chdir(gone)
	c.must(os.Remove(gone))
	c.mustRender("without a working directory")
}

// What is damaged is rendered again, and a cache that cannot be written does no harm.
func TestDamagedCache(t *testing.T) {
	for how, damage := range map[string]func(content []byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"cut off":        func(content []byte) []byte { return content[:len(content)-9] },
		"without a line": func(content []byte) []byte { return content[bytes.IndexByte(content, '\n')+1:] },
		"other text":     func([]byte) []byte { return []byte("{}\n") },
		"other manifests": func(content []byte) []byte {
			return bytes.Replace(content, []byte("name: web"), []byte("name: wow"), 1)
		},
		"no observations": func(content []byte) []byte { return bytes.Replace(content, []byte(`"Read"`), []byte(`"Rxad"`), 1) },
		"none, and whole": func(content []byte) []byte {
			entry := bytes.Replace(content[bytes.IndexByte(content, '\n')+1:], []byte(`"Read"`), []byte(`"Rxad"`), 1)
			return sealed(entry)
		},
	} {
		t.Run(how, func(t *testing.T) {
			c := newCached(t, shopTree)
			c.mustRender("at first")
			file := c.files()[0]
			content, err := os.ReadFile(file)
			c.must(err)
			c.replaceFile(file, damage(content))
			c.edit("base/web.yaml", "example.com", "example.org")
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
	seed := kittest.Seed(t)
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
