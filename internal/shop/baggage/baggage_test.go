package baggage_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/baggage"
)

func TestMiddleware(t *testing.T) {
	for _, test := range []struct {
		name    string
		headers []string
		want    string
	}{
		{"none", nil, ""},
		{"one", []string{"attendee=ada"}, "attendee=ada"},
		{"in two headers", []string{"attendee=ada", "shift=late;owner=grace"}, "attendee=ada,shift=late;owner=grace"},
		{"as much as must be passed on", []string{strings.Repeat("a", 8192)}, strings.Repeat("a", 8192)},
		{"more", []string{strings.Repeat("a", 8193)}, ""},
	} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, header := range test.headers {
			request.Header.Add("baggage", header)
		}
		got := "the handler was not called"
		baggage.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = baggage.From(r.Context())
		})).ServeHTTP(httptest.NewRecorder(), request)
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
