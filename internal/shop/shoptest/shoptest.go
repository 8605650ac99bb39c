// Package shoptest helps to test the services through real listeners.
package shoptest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/server"
)

// Config listens on a free port of the loopback interface.
func Config() server.Config {
	// net/http waits 5 s for a connection that is new and has sent nothing.
	return server.Config{Host: "127.0.0.1", DrainTimeout: 10 * time.Second}
}

// Log discards everything.
func Log() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Start starts the server until the test ends and returns its URL.
func Start(t *testing.T, s *server.Server) string {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error("close: ", err)
		}
	})
	return s.URL()
}

// URL parses a URL of a test.
func URL(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Answer is what came back for a request.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request with a JSON body, or none, and with a token, or none. If there is
// no answer the test fails, and the status is 0. It does not end the test, so that other
// goroutines than the test's can call it.
func Do(t *testing.T, method, url, token, body string) Answer {
	t.Helper()
	return DoWith(t, nil, method, url, token, body)
}

// DoWith is Do with further headers.
func DoWith(t *testing.T, header http.Header, method, url, token, body string) Answer {
	t.Helper()
	answer, err := send(t.Context(), header, method, url, token, body)
	if err != nil {
		t.Error(err)
	}
	return answer
}

func send(ctx context.Context, header http.Header, method, url, token, body string) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	maps.Copy(req.Header, header)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer to %s %s: %w", method, url, err)
	}
	return Answer{res.StatusCode, res.Header, strings.TrimSpace(string(b))}, nil
}

// Want fails the test unless the answer has the status; it returns the answer.
func (a Answer) Want(t *testing.T, status int) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// WantDetail fails the test unless the answer is the problem with the status
// and the detail.
func (a Answer) WantDetail(t *testing.T, status int, detail string) {
	t.Helper()
	if got := a.Want(t, status).Member(t, "detail"); got != detail {
		t.Errorf("detail %q, want %q", got, detail)
	}
}

// Into decodes the body.
func (a Answer) Into(t *testing.T, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), out); err != nil {
		t.Fatalf("decode %s: %v", a.Body, err)
	}
}

// Member returns a text out of the body by its path, as "order.id".
func (a Answer) Member(t *testing.T, path string) string {
	t.Helper()
	var v any
	a.Into(t, &v)
	for name := range strings.SplitSeq(path, ".") {
		members, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("no %s in %s", path, a.Body)
		}
		v = members[name]
	}
	text, ok := v.(string)
	if !ok {
		t.Fatalf("no text %s in %s", path, a.Body)
	}
	return text
}
