package reuse_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// useRegistry has the user work with a registry that lists referrers, or with one that
// does not, as ghcr.io.
func (u *user) useRegistry(listsReferrers bool) {
	u.Helper()
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(listsReferrers), registry.Logger(log.New(io.Discard, "", 0))))
	u.Cleanup(server.Close)
	u.host = strings.TrimPrefix(server.URL, "http://")
	kittest.UseBase(u.T, u.host, v1.Platform{OS: "linux", Architecture: "amd64"})
	u.reset()
	u.remote = true
}

// A new clone of what another machine has published is not compiled.
func TestRemoteRecord(t *testing.T) {
	for name, listsReferrers := range map[string]bool{"with referrers": true, "with the tag": false} {
		t.Run(name, func(t *testing.T) {
			u := newUser(t)
			u.useRegistry(listsReferrers)
			first, _ := u.run()

			u.clone()
			if got, reason := u.run(); got != first || reason != "" {
				t.Errorf("in a new clone: %s because %q, want %s", got, reason, first)
			}
			if _, reason := u.run(); reason != "" {
				t.Errorf("and once more, because %q", reason)
			}

			u.clone()
			u.write("web/kodata/page", "hi\n")
			second, reason := u.run()
			if second == first || reason == "" {
				t.Errorf("with a change: %s because %q", second, reason)
			}
			u.write("web/kodata/page", "hello\n") // As when a branch is left again.
			if got, reason := u.run(); got != first || reason != "" {
				t.Errorf("with the change undone: %s because %q, want %s", got, reason, first)
			}

			u.clone()
			u.remote = false
			if _, reason := u.run(); reason == "" {
				t.Error("with --no-remote-record, a new clone is not compiled")
			}

			u.clone()
			u.remote, u.publishing.DockerRepo = true, u.host+"/other"
			if got, reason := u.run(); reason == "" {
				t.Errorf("an image of another repository is taken: %s", got)
			}
		})
	}
}

// A record of an image that is no longer there has it built.
func TestRemoteRecordOfNothing(t *testing.T) {
	u := newUser(t)
	u.useRegistry(true)
	first, _ := u.run()
	_, digest, _ := strings.Cut(first, "@")
	u.check(remote.Delete(u.tag("latest").Context().Digest(digest)))
	_ = remote.Delete(u.tag("latest")) // It may have gone with the image.
	u.clone()
	u.publishing.Push = false // As ko diff does.
	if _, reason := u.run(); reason == "" {
		t.Error("an image that nobody can deploy is taken, since nothing is pushed")
	}
	u.publishing.Push = true
	if got, reason := u.run(); got != first || reason == "" {
		t.Errorf("after the image is deleted: %s because %q", got, reason)
	}
}

// Without a cache directory of the user, the registry alone keeps the record.
func TestNoDirectory(t *testing.T) {
	u := newUser(t)
	u.useRegistry(true)
	u.records = ""
	kittest.Unset(t, "XDG_CACHE_HOME")
	home := os.Getenv("HOME")
	t.Setenv("GOCACHE", filepath.Join(home, ".cache", "go-build"))
	t.Setenv("GOMODCACHE", filepath.Join(home, "go", "pkg", "mod"))
	t.Setenv("HOME", "")
	first, _ := u.run()
	if got, reason := u.run(); got != first || reason != "" {
		t.Errorf("%s because %q, want %s", got, reason, first)
	}
}
