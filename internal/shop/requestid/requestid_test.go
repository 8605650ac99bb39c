package requestid_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/requestid"
)

func TestMiddleware(t *testing.T) {
	var logged bytes.Buffer
	log := slog.New(requestid.LogHandler(slog.NewTextHandler(&logged, nil))).With("service", "test")
	handler := requestid.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		log.InfoContext(r.Context(), "hello")
	}))
	send := func(id string) string {
		logged.Reset()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set(requestid.Header, id)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		got := w.Header().Get(requestid.Header)
		if !strings.Contains(logged.String(), "request_id="+got) {
			t.Errorf("log line %q lacks id %q", logged.String(), got)
		}
		return got
	}
	if got := send("abc-1"); got != "abc-1" {
		t.Errorf("a sane id became %q", got)
	}
	for _, odd := range []string{"", "two words", "line\nbreak", strings.Repeat("x", 65)} {
		if got := send(odd); uuid.Validate(got) != nil {
			t.Errorf("id %q became %q, want a new uuid", odd, got)
		}
	}
}
