package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// getLivez asks for /livez with the headers, and returns the status and the body.
func getLivez(t *testing.T, srv *Server, headers http.Header) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+"/livez", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = headers
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// numbered returns so many headers of different names.
func numbered(n int) http.Header {
	headers := http.Header{}
	for i := range n {
		headers.Set(fmt.Sprintf("X-%d", i), "1")
	}
	return headers
}

// A request has room for all that clients, proxies and traces may put into its headers,
// and for little more.
func TestHeaders(t *testing.T) {
	srv := New(local, Service{Name: "a-svc", Timeout: time.Second, Register: func(huma.API) {}}, quiet())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	for name, test := range map[string]struct {
		headers http.Header
		status  int
		detail  string
	}{
		"the longest baggage, a token and a trace": {http.Header{
			"Baggage": {strings.Repeat("x", 8192)}, "Authorization": {"Bearer " + strings.Repeat("x", 1024)}, "Cookie": {strings.Repeat("x", 1024)},
			"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Tracestate": {strings.Repeat("x", 512)},
		}, 200, "live"},
		"90 headers":             {numbered(90), 200, "live"}, // Go's client adds three.
		"more than 100 headers":  {numbered(101), 431, "The request has more than 100 headers"},
		"thousands of headers":   {numbered(20_000), 431, "The request has more than 100 headers"},
		"headers of over 12 KiB": {http.Header{"A": {strings.Repeat("x", 13<<10)}}, 431, "Request Header Fields Too Large"},
	} {
		if status, body := getLivez(t, srv, test.headers); status != test.status || !strings.Contains(body, test.detail) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}
