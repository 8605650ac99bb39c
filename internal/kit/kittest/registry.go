// Package kittest starts the real parts that the kit's tests work against.
package kittest

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Registry serves an empty registry for the time of a test and returns its
// host:port.
func Registry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// UseRegistry points KO_DOCKER_REPO and the base image of builds to a new
// registry and returns its host:port.
func UseRegistry(t *testing.T) string {
	t.Helper()
	host := Registry(t)
	t.Setenv("KO_DOCKER_REPO", host)
	UseBase(t, host, v1.Platform{OS: "linux", Architecture: "amd64"})
	return host
}

// UseBase makes an image for a platform the base image of builds. It has one layer
// of noise, for there must be something to pull, and nothing that a static binary
// needs.
func UseBase(t *testing.T, host string, platform v1.Platform) {
	t.Helper()
	image, err := random.Image(1024, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(host + "/base:latest")
	if err != nil {
		t.Fatal(err)
	}
	if platform.Variant == "" {
		err = remote.Write(ref, image)
	} else { // Only an index tells of variants.
		err = remote.WriteIndex(ref, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}}))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KO_DEFAULTBASEIMAGE", ref.Name())
}
