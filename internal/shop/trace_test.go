package shop_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/shoptest/logs"
	"github.com/koshop/koshop/internal/shop/telemetry/servertiming"
)

const (
	traceID     = "0af7651916cd43dd8448eb211c80319c"
	traceparent = "00-" + traceID + "-b7ad6b7169203331-01"
)

// send sends a GET with headers and returns the answer's headers.
func send(t *testing.T, url string, header http.Header) http.Header {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.Header
}

// between returns the URL of a proxy in front of a service, and what requests carry there.
func between(t *testing.T, service string) (url string, got chan http.Header) {
	t.Helper()
	got = make(chan http.Header, 10)
	behind := httputil.NewSingleHostReverseProxy(shoptest.URL(t, service))
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Clone()
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, got
}

// Without tracing, the trace of a request is passed on all the same, and begins here if
// it does not fit (https://www.w3.org/TR/trace-context/#processing-model).
func TestTraceContextWithoutTracing(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	url, got := between(t, s.products.URL())
	gateway := shoptest.Start(t, s.gatewayWith(t, "product-svc", url))
	for _, test := range []struct {
		name    string
		parents []string
		goesOn  bool
		flags   string
	}{
		{"recorded by the caller", []string{traceparent}, true, "01"},
		{"not recorded by the caller", []string{strings.TrimSuffix(traceparent, "1") + "0"}, true, "00"},
		{"of a later version", []string{"cc" + traceparent[2:] + "-what-comes"}, true, "01"},
		{"none", nil, false, "00"},
		{"of no version", []string{"ff" + traceparent[2:]}, false, "00"},
		{"in capitals", []string{strings.ToUpper(traceparent)}, false, "00"},
		{"short", []string{traceparent[:50]}, false, "00"},
		{"long", []string{traceparent + "-what-comes"}, false, "00"},
		{"twice", []string{traceparent, traceparent}, false, "00"},
		{"no trace", []string{"00-" + strings.Repeat("0", 32) + "-b7ad6b7169203331-01"}, false, "00"},
		{"no parent", []string{"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01"}, false, "00"},
	} {
		header := http.Header{"Traceparent": test.parents, "Tracestate": {"a=1", "b=2"}}
		answer := send(t, gateway+"/api/v1/products", header)
		behind := <-got
		passed := strings.Split(behind.Get("Traceparent"), "-")
		if len(passed) != 4 || (passed[1] == traceID) != test.goesOn || passed[3] != test.flags || passed[2] == "b7ad6b7169203331" {
			t.Errorf("%s: %q becomes %q", test.name, test.parents, behind.Get("Traceparent"))
			continue
		}
		if state := behind.Get("Tracestate"); (state == "a=1,b=2") != test.goesOn || !test.goesOn && state != "" {
			t.Errorf("%s: the state is %q", test.name, state)
		}
		entries := servertiming.Parse(answer.Values("Server-Timing"))
		last := entries[len(entries)-1]
		if last.Name != "traceparent" || !strings.HasPrefix(last.Desc, "00-"+passed[1]) || last.Desc == behind.Get("Traceparent") {
			t.Errorf("%s: the answer says %v, and %q was passed on", test.name, entries, behind.Get("Traceparent"))
		}
	}
}

// A long state is left behind, and the trace goes on.
func TestLongTraceState(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	url, got := between(t, s.products.URL())
	gateway := shoptest.Start(t, s.gatewayWith(t, "product-svc", url))
	for length, passed := range map[int]bool{200: true, 250: false} { // of two members each
		state := "a=" + strings.Repeat("x", length) + ",b=" + strings.Repeat("y", length)
		send(t, gateway+"/api/v1/products", http.Header{"Traceparent": {traceparent}, "Tracestate": {state, "c=1" + strings.Repeat("z", 10)}})
		behind := <-got
		if !strings.Contains(behind.Get("Traceparent"), traceID) || strings.HasPrefix(behind.Get("Tracestate"), state) != passed {
			t.Errorf("%d: %v", length, behind)
		}
	}
}

// Each line that a request leaves in any service's log names its trace.
func TestLogsNameTheTrace(t *testing.T) {
	lines := &logs.Buffer{}
	s := &shop{database: databasetest.SQLite(t), config: shoptest.Config, log: slog.New(requestid.LogHandler(slog.NewJSONHandler(lines, nil)))}
	s.start(t)
	ann := s.signUp(t, "ann")
	send(t, s.gateway.URL()+"/api/v1/orders", http.Header{"Traceparent": {traceparent}, "Authorization": {"Bearer " + ann.token}})
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	spans := map[string][]string{} // by service
	for line := range strings.Lines(lines.String()) {
		var record struct {
			Service string
			Trace   string `json:"trace_id"`
			Span    string `json:"span_id"`
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if len(record.Trace) != 32 || len(record.Span) != 16 {
			t.Errorf("no trace in %s", line)
		}
		if record.Trace == traceID {
			spans[record.Service] = append(spans[record.Service], record.Span)
		}
	}
	for _, service := range []string{"api-gateway", "orders-svc", "user-svc"} { // user-svc is asked for its keys
		if len(spans[service]) != 1 {
			t.Errorf("%s has %d lines of the trace", service, len(spans[service]))
		}
	}
}

// hopsOf returns the services in Server-Timing, each with the one that called it.
func hopsOf(t *testing.T, header http.Header) []string {
	t.Helper()
	var hops []string
	for _, e := range servertiming.Parse(header.Values("Server-Timing")) {
		if e.Name == "traceparent" {
			continue
		}
		if e.Duration < 0 || e.Desc == "" || len(e.Version) != 8 || e.Since == 0 {
			t.Errorf("an entry says too little: %v", e)
		}
		hops = append(hops, strings.TrimSuffix(e.Name+" for "+e.By, " for "))
	}
	return hops
}

func TestServerTimingHasAnEntryPerHop(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	ann, gate := s.signUp(t, "ann"), s.gateway.URL()+"/api/v1"
	created := shoptest.Do(t, "POST", gate+"/order/create", ann.token, loafersAndSunglasses).Want(t, 200)
	if got, want := hopsOf(t, created.Header), []string{"api-gateway", "user-svc for api-gateway", "product-svc for api-gateway", "orders-svc for api-gateway"}; !slices.Equal(got, want) {
		t.Errorf("an order: %q, want %q", got, want)
	}
	body := fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, created.Member(t, "order.id"))
	paying := []string{"api-gateway", "payments-svc for api-gateway", "orders-svc for payments-svc"}
	first := shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, body).Want(t, 200)
	if got, want := hopsOf(t, first.Header), append(slices.Clone(paying), "orders-svc for payments-svc"); !slices.Equal(got, want) {
		t.Errorf("a payment: %q, want %q", got, want)
	}
	second := shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, body).Want(t, 403)
	if got := hopsOf(t, second.Header); !slices.Equal(got, paying) {
		t.Errorf("a refusal: %q, want %q", got, paying)
	}
	for path, status := range map[string]int{"/nope": 404, "/healthz": 201, "/docs": 200, "/api/v1/orders": 401} {
		answer := shoptest.Do(t, "GET", s.gateway.URL()+path, "", "").Want(t, status)
		if got := hopsOf(t, answer.Header); !slices.Equal(got, []string{"api-gateway"}) {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// Nothing gets into the header but entries: neither from a user nor from a service.
func TestServerTimingCannotBeForged(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Server-Timing", `traceparent;desc="00-x", other;dur=5;desc="a\", b;dur=1";x=y, <script>`)
		w.Header().Add("Server-Timing", strings.Repeat("many;dur=1,", 100))
		w.Write([]byte("[]"))
	}))
	t.Cleanup(odd.Close)
	gateway := shoptest.Start(t, s.gatewayWith(t, "product-svc", odd.URL))
	header := send(t, gateway+"/api/v1/products", http.Header{"Server-Timing": {"forged;dur=1"}, "Traceparent": {traceparent}})
	got := header.Values("Server-Timing")
	if len(got) != 1 || len(got[0]) > 2200 {
		t.Fatalf("%q", got)
	}
	entries := servertiming.Parse(got)
	for i, name := range []string{"api-gateway", "product-svc", "other", "many"} {
		if entries[i].Name != name {
			t.Errorf("entry %d is of %q, want %q", i, entries[i].Name, name)
		}
	}
	if entries[2].Desc != `a", b;dur=1` || strings.Contains(got[0], "forged") || strings.Contains(got[0], "script") || strings.Count(got[0], "traceparent") != 1 {
		t.Errorf("%q", got)
	}
	if !strings.Contains(got[0], `traceparent;desc="00-`+traceID) {
		t.Errorf("the trace is missing: %q", got)
	}
}

// A service that does not answer is in the header too.
func TestServerTimingOfServicesThatAreDown(t *testing.T) {
	s := startShop(t, databasetest.SQLite(t))
	down := shoptest.Start(t, s.gatewayWith(t, "product-svc", blackHole(t)))
	answer := shoptest.Do(t, "GET", down+"/api/v1/products", "", "").Want(t, 504)
	entries := servertiming.Parse(answer.Header.Values("Server-Timing"))
	if len(entries) != 3 || entries[1].Name != "product-svc" || entries[1].Duration <= 0 || entries[1].Desc != "" {
		t.Errorf("%q", answer.Header.Values("Server-Timing"))
	}
}
