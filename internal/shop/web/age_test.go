package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// What comes on an old connection is answered, and ends it.
func TestOldConnectionsEnd(t *testing.T) {
	handler := leave(func() bool { return false })(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for age, want := range map[time.Duration]string{0: "", maxConnectionAge + time.Second: "close"} {
		born := context.WithValue(t.Context(), bornKey{}, time.Now().Add(-age))
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(born, http.MethodGet, "/", nil))
		if got := answer.Header().Get("Connection"); answer.Code != http.StatusOK || got != want {
			t.Errorf("after %s: status %d, Connection %q, want %q", age, answer.Code, got, want)
		}
	}
}

// A server whose connections have their beginning noted reuses them meanwhile.
func TestYoungConnectionsStay(t *testing.T) {
	server := httptest.NewUnstartedServer(leave(func() bool { return false })(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, noted := r.Context().Value(bornKey{}).(time.Time); !noted {
			http.Error(w, "no age", http.StatusInternalServerError)
		}
	})))
	Attach(server.Config)
	server.Start()
	t.Cleanup(server.Close)
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Close {
		t.Errorf("status %d, the connection ends: %t", response.StatusCode, response.Close)
	}
}
