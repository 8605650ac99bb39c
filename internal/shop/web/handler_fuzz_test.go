package web_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

// handler is a service without a listener.
func handler() http.Handler {
	return web.NewHandler(web.Options{
		Telemetry: telemetry.New("test-svc"),
		Name:      "test-svc", About: "Is under test.", Greeting: "Hi!", Timeout: time.Minute, Register: register,
		Started: func() bool { return true }, Stopping: func() bool { return false },
		Ready: func(context.Context) error { return nil }, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
}

// checkProblem fails the test unless the answer is fit for a client: no fault of the
// service, and a short problem with a detail.
func checkProblem(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	var problem struct {
		Status int
		Detail string
	}
	err := json.Unmarshal(answer.Body.Bytes(), &problem)
	if err != nil || answer.Code < 400 || answer.Code > 499 || problem.Status != answer.Code || problem.Detail == "" {
		t.Errorf("%v: %d %s", err, answer.Code, answer.Body)
	}
	if got := answer.Header().Get("Content-Type"); got != "application/problem+json" || answer.Body.Len() > 8<<10 {
		t.Errorf("%s of %d bytes", got, answer.Body.Len())
	}
}

// A body of any kind is taken as what encoding/json reads in it, or refused.
func FuzzBody(f *testing.F) {
	ann := `{"name":"Ann","email":"ann@example.com","password":"long enough it is"}`
	for _, body := range []string{ann, strings.Replace(ann, "Ann", `\u0000`, 1), strings.Replace(ann, "}", `,"tags":["a"]}`, 1), `{"name":1,"email":"=?x?q?y?= <a@b.c>"}`, `[]`, `null`, `{`, "", "\xff", `{"tags":{"\u0000":[1e999]}}`} {
		f.Add([]byte(body), "application/json")
	}
	for _, mediaType := range []string{"", "text/plain", "application/json; charset=latin1", ";", "APPLICATION/JSON", "application/vnd.x+json;", "application/cbor", "\x00"} {
		f.Add([]byte(ann), mediaType)
	}
	service := handler()
	f.Fuzz(func(t *testing.T, body []byte, mediaType string) {
		request := httptest.NewRequest("POST", "/long", strings.NewReader(string(body)))
		request.Header.Set("Content-Type", mediaType)
		answer := httptest.NewRecorder()
		service.ServeHTTP(answer, request)
		if answer.Code != 200 {
			checkProblem(t, answer)
			return
		}
		var sent, taken person
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Errorf("a body is taken: %v: %q", err, body)
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &taken); err != nil || taken.Name != sent.Name || taken.Email != sent.Email || taken.Password != sent.Password {
			t.Errorf("%q is taken as %+v, %v", body, taken, err)
		}
	})
}

// failing are the paths that register answers with a fault of the service.
var failing = []string{"/plain", "/wrapped", "/internal", "/outage", "/late", "/panic"}

// Any target and header that a server lets through to a handler is answered.
func FuzzRequest(f *testing.F) {
	for _, target := range []string{"/people", "/openapi.json", "/docs", "/healthz", "/missing?q=%00", "/%ff", "//", "/%2f%2e%2e", "/missing?a;b", "/missing?%", "/.", "/people/../docs", "/openapi.yaml", "/openapi-3.0.json", "*", "http://x/people", "/schemas/x.json"} {
		f.Add("GET", target, "Accept", "application/json")
	}
	for _, header := range [][2]string{{"Accept", "application/cbor"}, {"If-None-Match", "*"}, {"Range", "bytes=0-0"}, {"If-Match", `"x"`}, {"Content-Type", "x"}, {"Origin", "null"}, {"X-Request-Id", "\x00"}, {"Traceparent", "00-0-0-0"}} {
		f.Add("PATCH", "/docs", header[0], header[1])
	}
	service := handler()
	f.Fuzz(func(t *testing.T, method, target, name, value string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || len(target) > 4096 || slices.Contains(failing, u.Path) {
			t.Skip("the server refuses it itself, or the operation is there to fail")
		}
		request := httptest.NewRequest("GET", "/", nil)
		request.Method, request.URL, request.RequestURI = method, u, target
		request.Header.Set(name, value)
		answer := httptest.NewRecorder()
		service.ServeHTTP(answer, request)
		if answer.Code > 299 {
			checkProblem(t, answer)
		}
	})
}
