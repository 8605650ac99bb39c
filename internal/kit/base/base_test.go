package base_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/koshop/koshop/internal/kit/base"
)

// counting is a registry that counts requests for manifests.
type counting struct {
	http.Handler
	manifests atomic.Int32
	isDown    atomic.Bool
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/manifests/") {
		c.manifests.Add(1)
	}
	if c.isDown.Load() {
		http.Error(w, "down", http.StatusTeapot) // It is not tried again.
		return
	}
	c.Handler.ServeHTTP(w, r)
}

func start(t *testing.T) (r *counting, host string) {
	t.Helper()
	r = &counting{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, strings.TrimPrefix(server.URL, "http://")
}

func images(t *testing.T) *base.Images {
	t.Helper()
	all, err := base.New(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// put pushes an index of images by a tag, and returns its digest.
func put(t *testing.T, reference string) string {
	t.Helper()
	tag, err := name.NewTag(reference)
	if err != nil {
		t.Fatal(err)
	}
	index, err := random.Index(64, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(tag, index); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// A run asks for a base image once, and goes on with the same one when the tag is moved.
func TestOneView(t *testing.T) {
	t.Setenv("KOCACHE", "")
	r, host := start(t)
	tag := host + "/base:latest"
	first := put(t, tag)
	r.manifests.Store(0)
	all := images(t)
	digest, err := all.Digest(tag)
	if err != nil || digest != first {
		t.Fatalf("the digest is %s, %v; want %s", digest, err, first)
	}
	put(t, tag)
	r.manifests.Store(0)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			ref, result, err := all.Get(tag)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := result.Digest(); err != nil || got.String() != first || ref.Name() != tag {
				t.Errorf("%s is %s, %v; want %s", ref, got, err, first)
			}
		})
	}
	group.Wait()
	if asked := r.manifests.Load(); asked != 1 {
		t.Errorf("the registry was asked %d times for manifests, want once", asked)
	}
}

// With KOCACHE, what is known of a base image by its digest is not asked for again, and
// the image is the same.
func TestCache(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("KOCACHE", cache)
	r, host := start(t)
	reference := host + "/base@" + put(t, host+"/base:latest")
	get := func() v1.ImageIndex {
		t.Helper()
		_, result, err := images(t).Get(reference)
		if err != nil {
			t.Fatal(err)
		}
		index, ok := result.(v1.ImageIndex)
		if !ok {
			t.Fatalf("the base is %T, and no index", result)
		}
		return index
	}
	if err := validate.Index(get()); err != nil { // Layers are pulled, and compared with their hashes.
		t.Error(err)
	}
	r.isDown.Store(true)
	readConfigurations(t, get())
	r.isDown.Store(false)
	files, err := filepath.Glob(filepath.Join(cache, "img", "blobs", "sha256", "*"))
	if err != nil || len(files) != 5 {
		t.Fatalf("%q, %v: want an index, and manifests and configurations of two images", files, err)
	}
	for _, file := range files {
		if err := os.WriteFile(file, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := validate.Index(get()); err != nil { // Damaged files are fetched again.
		t.Error(err)
	}
}

// readConfigurations reads all that is needed to lay a program on the images of an index.
func readConfigurations(t *testing.T, index v1.ImageIndex) {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, descriptor := range manifest.Manifests {
		image, err := index.Image(descriptor.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := image.ConfigFile(); err != nil {
			t.Error(err)
		}
		if layers, err := image.Layers(); err != nil || len(layers) != 2 {
			t.Errorf("%d layers, %v", len(layers), err)
		}
	}
}

// An error says which image cannot be pulled.
func TestErrors(t *testing.T) {
	_, host := start(t)
	for reference, want := range map[string]string{host + "/none:latest": host + "/none:latest", "a base": "a base"} {
		for _, cache := range []string{"", t.TempDir()} {
			t.Setenv("KOCACHE", cache)
			if _, _, err := images(t).Get(reference); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", reference, err)
			}
		}
	}
}
