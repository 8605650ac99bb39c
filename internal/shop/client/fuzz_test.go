package client

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/fault"
)

// Every answer that is not 2xx becomes a fault. It keeps the status of the service only if
// the answer has a detail.
func FuzzRefusal(f *testing.F) {
	for _, body := range []string{`{"detail":"Order not found"}`, `{"detail":{"detail":"Already Paid"}}`, `{"detail":{"detail":{"detail":{"detail":"x"}}}}`, `{"detail":null}`, `{"detail":5}`, `{"DETAIL":"x"}`, `[]`, `<html>`, "", `{"detail":"\ud800"}`} {
		f.Add(404, []byte(body))
		f.Add(500, []byte(body))
	}
	f.Add(302, []byte(`{"detail":"x"}`))
	f.Add(504, []byte(""))
	c := New("orders-svc", &url.URL{Scheme: "http", Host: "orders-svc"})
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		err := c.refusal(status, nil, body)
		code, known := codes[status]
		detail, explained := detailOf(body, http.StatusText(status))
		switch {
		case known && explained:
		case status == http.StatusGatewayTimeout:
			code, detail = fault.Timeout, "orders-svc did not answer in time"
		default:
			code, detail = fault.Upstream, "orders-svc failed"
		}
		if f, ok := err.(*fault.Error); !ok || f.Code != code || f.Detail != detail {
			t.Errorf("%d %q: %v", status, body, err)
		}
		var plain struct{ Detail *string }
		if json.Unmarshal(body, &plain) == nil && plain.Detail != nil && (!explained || detail != *plain.Detail && code != fault.Upstream && code != fault.Timeout) {
			t.Errorf("the detail of %q is %q", body, detail)
		}
		if explained && !json.Valid(body) {
			t.Errorf("%q has the detail %q", body, detail)
		}
	})
}

// A segment of a path stays one segment, and a value of a query one value.
func FuzzURL(f *testing.F) {
	for _, segment := range []string{"L9ECAV7KIM", "..", ".", "a/b", "a%2Fb", "?x=1", "#x", "", "\x00", "é", "\xff", "a b+c", ";", "//x"} {
		f.Add(segment, segment)
	}
	c := New("orders-svc", &url.URL{Scheme: "http", Host: "orders-svc", Path: "/base/"})
	f.Fuzz(func(t *testing.T, segment, value string) {
		raw := c.url(Call{Path: []string{"orders", segment, "status"}, Query: url.Values{"q": {value}}})
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(u.EscapedPath(), "/")
		if len(parts) != 5 || slices.Contains(parts, "..") || slices.Contains(parts, ".") {
			t.Fatalf("%q makes %s", segment, raw)
		}
		if back, err := url.PathUnescape(parts[3]); err != nil || back != segment || u.Host != "orders-svc" || parts[4] != "status" || u.Fragment != "" {
			t.Errorf("%q makes %s, %v", segment, raw, err)
		}
		if query, err := url.ParseQuery(u.RawQuery); err != nil || len(query) != 1 || query.Get("q") != value {
			t.Errorf("%q makes %s, %v", value, raw, err)
		}
	})
}
