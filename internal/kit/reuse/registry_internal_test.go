package reuse

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	server "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/publish"
)

// guarded is a registry that counts how often it is asked how to authenticate.
type guarded struct {
	http.Handler
	password string // that it wants; "" if it wants none
	asked    atomic.Int32
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v2/" {
		g.asked.Add(1)
	}
	if _, password, _ := r.BasicAuth(); password != g.password {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.Handler.ServeHTTP(w, r)
}

// A registry that wants no credentials is asked for images of many repositories without
// asking for each how to authenticate. One that wants them gets them.
func TestAuthenticationIsAskedForOnce(t *testing.T) {
	for _, password := range []string{"", "secret"} {
		t.Run("password "+password, func(t *testing.T) {
			g := &guarded{Handler: server.New(server.Logger(log.New(io.Discard, "", 0))), password: password}
			listening := httptest.NewServer(g)
			defer listening.Close()
			host := strings.TrimPrefix(listening.URL, "http://")
			login(t, host, password)
			const repositories = 5
			digests := map[string]string{}
			for i := range repositories {
				reference := fmt.Sprintf("%s/p%d:latest", host, i)
				digests[reference] = push(t, reference)
			}
			publisher, err := publish.New(&options.PublishOptions{DockerRepo: host, Push: true, Tags: []string{"latest"}, BaseImportPaths: true})
			if err != nil {
				t.Fatal(err)
			}
			r, err := newRegistry(false)
			if err != nil {
				t.Fatal(err)
			}
			g.asked.Store(0)
			for reference, digest := range digests {
				repository, _ := strings.CutSuffix(strings.TrimPrefix(reference, host+"/"), ":latest")
				place, err := publisher.Place("ko://example.com/" + repository)
				if err != nil {
					t.Fatal(err)
				}
				if !r.offer(t.Context(), place, digest, false) {
					t.Errorf("%s is not found", reference)
				}
				if r.offer(t.Context(), place, "sha256:"+strings.Repeat("0", 64), true) {
					t.Errorf("in %s, an image is found that nobody pushed", repository)
				}
			}
			if asked := g.asked.Load(); password == "" && asked > 2 {
				t.Errorf("for %d repositories, the registry was asked %d times how to authenticate", repositories, asked)
			}
		})
	}
}

// What a registry lists for inputs may be a record of others.
func TestRecordOfOtherInputs(t *testing.T) {
	listening := httptest.NewServer(server.New(server.Logger(log.New(io.Discard, "", 0))))
	defer listening.Close()
	repository, err := name.NewRepository(strings.TrimPrefix(listening.URL, "http://") + "/web")
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRegistry(false)
	if err != nil {
		t.Fatal(err)
	}
	inputs, others, image := strings.Repeat("a", 64), strings.Repeat("b", 64), "sha256:"+strings.Repeat("c", 64)
	if err := r.keep(t.Context(), repository, inputs, image); err != nil {
		t.Fatal(err)
	}
	manifest, err := newRecord(inputs, image)
	if err != nil {
		t.Fatal(err)
	}
	record, err := manifest.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.imageOf(t.Context(), repository, record, inputs); err != nil || got != image {
		t.Errorf("the record names %s, %v; want %s", got, err, image)
	}
	if got, err := r.imageOf(t.Context(), repository, record, others); err == nil {
		t.Errorf("for other inputs, the record names %s", got)
	}
}

// login has the credentials where people have them who have run docker login.
func login(t *testing.T, host, password string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	if password == "" {
		return
	}
	auth := base64.StdEncoding.EncodeToString([]byte("user:" + password))
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, auth)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// push pushes some image and returns its digest.
func push(t *testing.T, reference string) string {
	t.Helper()
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, image, remote.WithAuthFromKeychain(base.Keychain)); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}
