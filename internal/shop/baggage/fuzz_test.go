package baggage_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/baggage"
)

// Baggage is passed on whole or not at all.
func FuzzMiddleware(f *testing.F) {
	f.Add("attendee=ada", "")
	f.Add("a=1", "b=2;property")
	f.Add(strings.Repeat("x", 8192), "")
	f.Add(strings.Repeat("x", 8191), "y")
	f.Fuzz(func(t *testing.T, first, second string) {
		given := []string{first}
		if second != "" {
			given = append(given, second)
		}
		want := strings.Join(given, ",")
		if len(want) > 8192 {
			want = ""
		}
		var got string
		handler := baggage.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = baggage.From(r.Context()) }))
		request := httptest.NewRequest("GET", "/", nil)
		request.Header[baggage.Header] = given
		if handler.ServeHTTP(httptest.NewRecorder(), request); got != want {
			t.Errorf("%q becomes %q", given, got)
		}
	})
}
