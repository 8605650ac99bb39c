package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/web"
)

// refusals are requests to the service of these tests, and what is wrong with them.
var refusals = []struct {
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
}

func TestErrors(t *testing.T) {
	url, _ := service(t, nil)
	for _, tc := range refusals {
		t.Run(tc.method+tc.path, func(t *testing.T) {
			res, body := send(t, tc.method, url+tc.path, tc.body)
			if res.StatusCode != tc.status {
				t.Fatalf("status %d, want %d: %s", res.StatusCode, tc.status, body)
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
