package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/baggage"
	"github.com/koshop/koshop/internal/shop/client"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/requestid"
)

func newClient(t *testing.T, handler http.HandlerFunc) *client.Client {
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	c := client.New("other-svc", base)
	t.Cleanup(c.Close)
	return c
}

func TestCall(t *testing.T) {
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
		err = json.NewEncoder(w).Encode([]string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get(requestid.Header), r.Header.Get(baggage.Header), strings.TrimSpace(string(body))})
		if err != nil {
			t.Error(err)
		}
	})
	var got []string
	err := c.Do(baggage.With(requestid.With(t.Context(), "id-1"), "attendee=ada"), client.Call{
		Method: http.MethodPatch, Path: []string{"things", "a/b &", ".."}, Query: url.Values{"q": {"x y"}}, Body: map[string]int{"n": 1},
	}, &got)
	want := []string{"PATCH", "/things/a%2Fb%20&/%2E%2E", "q=x+y", "id-1", "attendee=ada", `{"n":1}`}
	if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		code   fault.Code
		detail string
	}{
		{404, `{"detail":"Order not found"}`, fault.NotFound, "Order not found"},
		{409, `{"detail":"Already Paid"}`, fault.Conflict, "Already Paid"},
		{404, `{"detail":{"detail":"Order not found"}}`, fault.NotFound, "Order not found"},
		{414, `{"detail":"The path is too long"}`, fault.BadRequest, "The path is too long"},
		{431, `{"detail":"The header is too long"}`, fault.BadRequest, "The header is too long"},
		{431, `<html>`, fault.Upstream, "other-svc failed"},
		{422, `{"detail":[{"loc":["body"]}]}`, fault.Invalid, "Unprocessable Entity"},
		{403, `<html>`, fault.Upstream, "other-svc failed"},
		{404, ``, fault.Upstream, "other-svc failed"},
		{404, `{"error":"no route"}`, fault.Upstream, "other-svc failed"},
		{401, `"detail"`, fault.Upstream, "other-svc failed"},
		{404, `{"detail":{"detail":{"detail":{"detail":"deep"}}}}`, fault.NotFound, "Not Found"},
		{500, `{"detail":"stack trace"}`, fault.Upstream, "other-svc failed"},
		{503, ``, fault.Upstream, "other-svc failed"},
		{302, ``, fault.Upstream, "other-svc failed"},
		{504, `{"detail":"third-svc did not answer in time"}`, fault.Timeout, "other-svc did not answer in time"},
		{200, `not JSON`, fault.Upstream, "other-svc failed"},
		{200, `"` + strings.Repeat("x", 5<<20) + `"`, fault.Upstream, "other-svc failed"},
	} {
		c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.body) // the client may hang up on the long one
		})
		var out any
		err := c.Do(t.Context(), client.Call{Method: http.MethodGet}, &out)
		if !fault.Is(err, tc.code) || !strings.HasPrefix(err.Error(), tc.detail) {
			t.Errorf("%d %.40s: got %v (%s), want %s (%s)", tc.status, tc.body, err, fault.CodeOf(err), tc.detail, tc.code)
		}
	}
}

// A refusal keeps its Retry-After.
func TestRetryAfterOfRefusals(t *testing.T) {
	for header, want := range map[string]time.Duration{"": 0, "2": 2 * time.Second, "60000": time.Hour, "-1": 0, "soon": 0, "99999999999999999999": 0} {
		c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"detail":"busy"}`) // The client would report the failure.
		})
		var f *fault.Error
		if err := c.Do(t.Context(), client.Call{Method: http.MethodGet}, new(any)); !errors.As(err, &f) || f.Code != fault.Conflict || f.RetryAfter != want {
			t.Errorf("%q: %v, again after %v", header, err, f.RetryAfter)
		}
	}
}

func TestOnlyGetIsRepeatedAfterALostConnection(t *testing.T) {
	for method, repeated := range map[string]bool{http.MethodGet: true, http.MethodPost: false} {
		var calls atomic.Int32
		c := newClient(t, func(http.ResponseWriter, *http.Request) {
			calls.Add(1)
			panic(http.ErrAbortHandler) // drops the connection
		})
		err := c.Do(t.Context(), client.Call{Method: method}, new(any))
		if !fault.Is(err, fault.Upstream) || (calls.Load() > 1) != repeated {
			t.Errorf("%s: %d calls, %v", method, calls.Load(), err)
		}
	}
}

// A request with a key is sent once, also on a connection that was used before: the
// service may be carrying it out. The service still gets the key.
func TestARequestWithAKeyIsSentOnce(t *testing.T) {
	var calls atomic.Int32
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{}`) // The client would report the failure.
			return
		}
		if got := r.Header.Get("Idempotency-Key"); got != "k" {
			t.Errorf("the key is %q", got)
		}
		calls.Add(1)
		panic(http.ErrAbortHandler) // drops the connection
	})
	for range 3 {
		if err := c.Do(t.Context(), client.Call{Method: http.MethodGet}, new(any)); err != nil {
			t.Fatal(err)
		}
		calls.Store(0)
		err := c.Do(t.Context(), client.Call{Method: http.MethodPost, Header: http.Header{"Idempotency-Key": {"k"}}, Body: "a body"}, new(any))
		if !fault.Is(err, fault.Upstream) || calls.Load() != 1 {
			t.Errorf("%d calls, %v", calls.Load(), err)
		}
	}
}

// A service whose pod is being replaced refuses connections for a moment. A
// request that never reached it can be sent again, whatever it asks for.
func TestWaitsForAServiceThatComesBack(t *testing.T) {
	var calls atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		if _, err := io.WriteString(w, `{}`); err != nil {
			t.Error(err)
		}
	}))
	address := srv.Listener.Addr().String()
	if err := srv.Listener.Close(); err != nil { // From here on connections are refused.
		t.Fatal(err)
	}
	back := make(chan struct{})
	time.AfterFunc(300*time.Millisecond, func() {
		defer close(back)
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		srv.Listener = listener
		srv.Start()
	})
	c := client.New("other-svc", &url.URL{Scheme: "http", Host: address})
	err := c.Do(t.Context(), client.Call{Method: http.MethodPost}, new(any))
	<-back
	c.Close()
	srv.Close()
	if err != nil || calls.Load() != 1 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

func TestSlowAndGone(t *testing.T) {
	release := make(chan struct{})
	c := newClient(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Do(ctx, client.Call{Method: http.MethodGet}, new(any)); !fault.Is(err, fault.Timeout) {
		t.Errorf("slow: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Do(canceled, client.Call{Method: http.MethodGet}, new(any)); !fault.Is(err, fault.Internal) {
		t.Errorf("the caller has gone: %v", err)
	}
}

func TestDown(t *testing.T) {
	c := client.New("other-svc", &url.URL{Scheme: "http", Host: "127.0.0.1:1"})
	err := c.Do(t.Context(), client.Call{Method: http.MethodGet}, new(any))
	if !fault.Is(err, fault.Upstream) || !strings.HasPrefix(err.Error(), "other-svc cannot be reached") {
		t.Errorf("got %v", err)
	}
}
