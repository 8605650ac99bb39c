package requestid_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/requestid"
)

// The id of a request is a short word, whatever comes in, and the one that came if it is.
func FuzzMiddleware(f *testing.F) {
	for _, id := range []string{"abc-1", "", "a b", "a\nlevel=error", strings.Repeat("x", 64), strings.Repeat("x", 65), "é", "\x00", "a\n"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, given string) {
		var inside string
		handler := requestid.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = requestid.From(r.Context()) }))
		request, answer := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		request.Header.Set(requestid.Header, given)
		handler.ServeHTTP(answer, request)
		id := answer.Header().Get(requestid.Header)
		odd := strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")
		if id == "" || len(id) > 64 || odd != "" || id != inside {
			t.Errorf("%q: the answer has %q, the context %q", given, id, inside)
		}
		if word := strings.Trim(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == ""; word && given != "" && len(given) <= 64 && id != given {
			t.Errorf("%q becomes %q", given, id)
		}
	})
}
