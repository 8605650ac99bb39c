package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

type person struct {
	Name     string   `json:"name" minLength:"1" maxLength:"10" doc:"How to call them"`
	Email    string   `json:"email" format:"email"`
	Password string   `json:"password" minLength:"12"`
	Tags     []string `json:"tags,omitempty" minItems:"1" maxItems:"2"`
}

type personInput struct{ Body person }

type personOutput struct{ Body person }

func register(api huma.API) {
	huma.Register(api, web.Operation("add", http.MethodPost, "/people", "Add a person", 400),
		func(_ context.Context, in *personInput) (*personOutput, error) { return &personOutput{in.Body}, nil })
	huma.Register(api, web.LargeBody(web.Operation("add-long", http.MethodPost, "/long", "Add a person", 400)),
		func(_ context.Context, in *personInput) (*personOutput, error) { return &personOutput{in.Body}, nil })
	fails := map[string]error{
		"/plain":    errors.New("secret innards"),
		"/missing":  fault.New(fault.NotFound, "No such thing"),
		"/wrapped":  fault.Wrap(errors.New("secret innards"), fault.Upstream, "other-svc failed"),
		"/internal": fault.Wrap(errors.New("secret innards"), fault.Internal, "secret detail"),
		"/outage":   fmt.Errorf("store: %w", fault.Wrap(errors.New("secret innards"), fault.Unavailable, "The data is away")),
		"/often":    fault.New(fault.TooMany, "Not so fast"),
		"/late":     context.DeadlineExceeded,
	}
	for path, err := range fails {
		huma.Register(api, web.Operation(path[1:], http.MethodGet, path, "Fail"),
			func(context.Context, *struct{}) (*personOutput, error) { return nil, err })
	}
	huma.Register(api, web.Operation("panic", http.MethodGet, "/panic", "Panic"),
		func(context.Context, *struct{}) (*personOutput, error) { panic("secret innards") })
}

// service starts a handler and returns its URL and what it logs.
func service(t *testing.T, change func(*web.Options)) (url string, log *bytes.Buffer) {
	log = &bytes.Buffer{}
	o := web.Options{
		Telemetry: telemetry.New("test-svc"),
		Name:      "test-svc", About: "Is under test.", Greeting: "Hi!", Timeout: time.Second, Register: register,
		Started:  func() bool { return true },
		Stopping: func() bool { return false },
		Ready:    func(context.Context) error { return nil },
		Log:      slog.New(requestid.LogHandler(slog.NewJSONHandler(log, nil))),
	}
	if change != nil {
		change(&o)
	}
	srv := httptest.NewServer(web.NewHandler(o))
	t.Cleanup(srv.Close)
	return srv.URL, log
}

func send(t *testing.T, method, url, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(requestid.Header, "test-id")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestErrors(t *testing.T) {
	url, _ := service(t, nil)
	for _, tc := range []struct {
		method, path, body string
		status             int
		detail             string
	}{
		{"GET", "/nowhere", "", 404, "Not Found"},
		{"DELETE", "/people", "", 405, "Method Not Allowed"},
		{"GET", "/missing", "", 404, "No such thing"},
		{"GET", "/plain", "", 500, "Internal Server Error"},
		{"GET", "/internal", "", 500, "Internal Server Error"},
		{"GET", "/panic", "", 500, "Internal Server Error"},
		{"GET", "/wrapped", "", 502, "other-svc failed"},
		{"GET", "/outage", "", 503, "The data is away"},
		{"GET", "//missing", "", 404, "Not Found"},
		{"GET", "/often", "", 429, "Not so fast"},
		{"GET", "/late", "", 503, "The service did not finish in time"},
		{"POST", "/people", `{"name":`, 400, "body: is not valid JSON"},
		{"POST", "/people", ``, 400, "request body is required"},
		{"POST", "/people", `{"name":"` + strings.Repeat("x", 2<<10) + `"}`, 413, "The request body is larger than 2 KiB"},
		{"POST", "/long", `{"name":"` + strings.Repeat("x", web.MaxBody) + `"}`, 413, "The request body is larger than 16 KiB"},
		{"GET", "/missing", strings.Repeat("x", web.MaxBody+1), 413, "The request body is larger than 16 KiB"},
		{"POST", "/people", `[]`, 422, "body: expected object"},
		{"POST", "/people", `{"name":"Ann","password":"long enough it is"}`, 422, "email: is required"},
		{"POST", "/people", `{"name":"","email":"ann@example.com","password":"long enough it is"}`, 422, "name: expected length >= 1"},
		{"POST", "/people", `{"name":"Ann","email":"ann@example.com","password":"long enough it is","tags":null}`, 200, ""},
	} {
		t.Run(tc.method+tc.path, func(t *testing.T) {
			res, body := send(t, tc.method, url+tc.path, tc.body)
			if res.StatusCode != tc.status {
				t.Fatalf("status %d, want %d: %s", res.StatusCode, tc.status, body)
			}
			if tc.status == 200 {
				return
			}
			var p struct{ Detail string }
			if err := json.Unmarshal([]byte(body), &p); err != nil || p.Detail != tc.detail {
				t.Errorf("detail %q, want %q (%v)", p.Detail, tc.detail, err)
			}
			if again := res.Header.Get("Retry-After"); (again != "") != (tc.status == 503 || tc.status == 429) {
				t.Errorf("Retry-After %q", again)
			}
			if ct := res.Header.Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("content type %q", ct)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("the answer tells internals: %s", body)
			}
		})
	}
}

func TestAllowNamesTheMethods(t *testing.T) {
	url, _ := service(t, nil)
	res, _ := send(t, "DELETE", url+"/people", "")
	if got := res.Header.Get("Allow"); got != "POST" {
		t.Errorf("Allow: %q, want POST", got)
	}
}

func TestValidationNamesTheFieldAndHidesTheValue(t *testing.T) {
	url, _ := service(t, nil)
	_, body := send(t, "POST", url+"/people", `{"name":"Ann","email":"ann","password":"hunter2"}`)
	for _, want := range []string{`"location":"body.email"`, `"location":"body.password"`, "email: expected string to be RFC 5322 email"} {
		if !strings.Contains(body, want) {
			t.Errorf("answer lacks %s: %s", want, body)
		}
	}
	if strings.Contains(body, "hunter2") {
		t.Errorf("the answer repeats the password: %s", body)
	}
}

func TestUnknownMembersAreAccepted(t *testing.T) {
	url, _ := service(t, nil)
	res, body := send(t, "POST", url+"/people", `{"name":"Ann","email":"ann@example.com","password":"long enough it is","status":"new"}`)
	if res.StatusCode != 200 || strings.Contains(body, "$schema") {
		t.Errorf("got %d %s", res.StatusCode, body)
	}
}

func TestBodyOfExactlyTheLimit(t *testing.T) {
	url, _ := service(t, nil)
	for path, limit := range map[string]int{"/people": 2 << 10, "/long": web.MaxBody} {
		rest := `{"name":"Ann","email":"ann@example.com","password":"long enough it is","x":""}`
		body := strings.Replace(rest, `"x":""`, `"x":"`+strings.Repeat("x", limit-len(rest))+`"`, 1)
		if res, answer := send(t, "POST", url+path, body); res.StatusCode != 200 {
			t.Errorf("%s, a body of %d bytes: %d %s", path, len(body), res.StatusCode, answer)
		}
	}
}

func TestLog(t *testing.T) {
	url, log := service(t, nil)
	res, _ := send(t, "GET", url+"/plain?token=abc", "")
	if got := res.Header.Get(requestid.Header); got != "test-id" {
		t.Errorf("request id %q", got)
	}
	for _, want := range []string{`"level":"ERROR"`, `"path":"/plain"`, `"status":500`, `"error":"secret innards"`, `"request_id":"test-id"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %s: %s", want, log)
		}
	}
	if strings.Contains(log.String(), "abc") {
		t.Errorf("the query is logged: %s", log)
	}
	log.Reset()
	send(t, "GET", url+"/panic", "")
	if !strings.Contains(log.String(), "handler_test.go") {
		t.Errorf("log lacks the stack of a panic: %s", log)
	}
	log.Reset()
	send(t, "GET", url+"/livez", "")
	if log.Len() > 0 {
		t.Errorf("probes are logged at info: %s", log)
	}
}

func TestHealth(t *testing.T) {
	url, log := service(t, func(o *web.Options) {
		o.Ready = func(context.Context) error { return errors.New("database gone") }
	})
	res, body := send(t, "GET", url+"/healthz", "")
	if res.StatusCode != 201 || strings.TrimSpace(body) != `{"message":"Hi!"}` {
		t.Errorf("healthz: %d %s", res.StatusCode, body)
	}
	host, err := os.Hostname()
	if got := res.Header.Get("X-Served-By"); err != nil || got != host {
		t.Errorf("healthz is served by %q, want %q (error %v)", got, host, err)
	}
	if res, _ := send(t, "GET", url+"/livez", ""); res.StatusCode != 200 {
		t.Errorf("livez: %d", res.StatusCode)
	}
	res, body = send(t, "GET", url+"/readyz", "")
	if res.StatusCode != 503 || strings.Contains(body, "database") || !strings.Contains(log.String(), "database gone") || !strings.Contains(log.String(), "WARN") {
		t.Errorf("readyz: %d %s, logged %s", res.StatusCode, body, log)
	}
}

func TestGateWhileStarting(t *testing.T) {
	url, _ := service(t, func(o *web.Options) { o.Started = func() bool { return false } })
	if res, body := send(t, "GET", url+"/missing", ""); res.StatusCode != 503 {
		t.Errorf("an operation: %d %s", res.StatusCode, body)
	}
	if res, _ := send(t, "GET", url+"/healthz", ""); res.StatusCode != 201 {
		t.Errorf("healthz: %d", res.StatusCode)
	}
}

func TestDocumentation(t *testing.T) {
	url, _ := service(t, nil)
	_, doc := send(t, "GET", url+"/openapi.json", "")
	var parsed struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal([]byte(doc), &parsed); err != nil || !strings.HasPrefix(parsed.OpenAPI, "3.1") || parsed.Paths["/people"] == nil {
		t.Errorf("openapi.json: %v, version %q", err, parsed.OpenAPI)
	}
	res, page := send(t, "GET", url+"/docs", "")
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		t.Errorf("docs: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	for _, want := range []string{"/people", "Add a person", "How to call them", "string, email"} {
		if !strings.Contains(page, want) {
			t.Errorf("docs lack %q", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "//") {
		t.Error("docs load something from elsewhere")
	}
}
