package main

import (
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// serve runs a registry over dir, as a program started anew would.
func serve(t *testing.T, dir string) (address string) {
	t.Helper()
	handler, err := newRegistry(dir, log.New(t.Output(), "", 0))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func reference(t *testing.T, parts ...string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(strings.Join(parts, ""))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func digestOf(t *testing.T, ref name.Reference) v1.Hash {
	t.Helper()
	descriptor, err := remote.Get(ref)
	if err != nil {
		t.Fatal(err)
	}
	return descriptor.Digest
}

func TestImagesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	address := serve(t, dir)
	var digests []v1.Hash
	for range 2 { // the tag moves on; what it named before stays, by digest
		img, err := random.Image(100, 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(reference(t, address, "/a/b:latest"), img); err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digestOf(t, reference(t, address, "/a/b:latest")))
	}

	address = serve(t, dir)
	if got := digestOf(t, reference(t, address, "/a/b:latest")); got != digests[1] {
		t.Errorf("the tag names %s, want %s", got, digests[1])
	}
	for _, digest := range digests {
		img, err := remote.Image(reference(t, address, "/a/b@", digest.String()))
		if err != nil {
			t.Fatal(err)
		}
		layers, err := img.Layers()
		if err != nil || len(layers) != 2 {
			t.Errorf("%d layers, %v", len(layers), err)
		}
	}
}

func TestAnIndexSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	index, err := random.Index(100, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(reference(t, serve(t, dir), "/img:v1"), index); err != nil {
		t.Fatal(err)
	}
	restored, err := remote.Index(reference(t, serve(t, dir), "/img:v1"))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := restored.IndexManifest()
	if err != nil || len(manifest.Manifests) != 5 {
		t.Errorf("%+v, %v", manifest, err)
	}
}

func TestADeletedTagStaysDeleted(t *testing.T) {
	dir := t.TempDir()
	address := serve(t, dir)
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	tag := reference(t, address, "/img:gone")
	if err := remote.Write(tag, img); err != nil {
		t.Fatal(err)
	}
	if err := remote.Delete(tag); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(reference(t, serve(t, dir), "/img:gone")); err == nil {
		t.Error("it is there again after a restart")
	}
}

func TestAManifestOverTheLimitIsRefused(t *testing.T) {
	request := httptest.NewRequest(http.MethodPut, "/v2/a/manifests/b", strings.NewReader(strings.Repeat(" ", maxManifest+1)))
	handler, err := newRegistry(t.TempDir(), log.New(t.Output(), "", 0))
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d, want 413", answer.Code)
	}
}
