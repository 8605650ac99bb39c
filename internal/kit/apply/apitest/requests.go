//go:build apiserver

package apitest

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/koshop/koshop/internal/kube"
)

// Requests counts what is sent to the API server.
type Requests struct {
	mu    sync.Mutex
	count map[string]int
}

// Counting returns the same cluster by a connection of its own, with the count of what
// is sent by it.
func Counting(t testing.TB) (*kube.Cluster, *Requests) {
	t.Helper()
	Cluster(t)
	r := &Requests{}
	other := rest.CopyConfig(config)
	other.Wrap(func(next http.RoundTripper) http.RoundTripper { return counted{next, r} })
	c, err := kube.New(other, "default", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, r
}

// Take returns how many requests were sent since it was called last, by what they do:
// discovery, get, list, watch, dry run, or otherwise the HTTP method, as in PATCH.
func (r *Requests) Take() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := r.count
	r.count = nil
	return count
}

// counted is a connection whose requests are counted.
type counted struct {
	next http.RoundTripper
	in   *Requests
}

func (c counted) RoundTrip(request *http.Request) (*http.Response, error) {
	c.in.mu.Lock()
	if c.in.count == nil {
		c.in.count = map[string]int{}
	}
	c.in.count[purpose(request)]++
	c.in.mu.Unlock()
	return c.next.RoundTrip(request)
}

// purpose says what a request is for. Paths are /api/VERSION or /apis/GROUP/VERSION and
// then [/namespaces/NAMESPACE]/RESOURCE[/NAME].
func purpose(request *http.Request) string {
	query, path := request.URL.Query(), strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	version := 2
	if path[0] == "apis" {
		version = 3
	}
	if query.Get("dryRun") != "" {
		return "dry run"
	}
	if request.Method != http.MethodGet {
		return request.Method
	}
	if len(path) <= version {
		return "discovery"
	}
	rest := path[version:]
	if rest[0] == "namespaces" && len(rest) > 2 {
		rest = rest[2:]
	}
	switch {
	case query.Get("watch") != "":
		return "watch"
	case len(rest) == 1:
		return "list"
	}
	return "get"
}
