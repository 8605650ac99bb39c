package shop_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/telemetry/otlptest"
	"github.com/koshop/koshop/internal/shop/telemetry/servertiming"
)

// A payment is one trace through all services, as a collector gets it.
func TestAPaymentIsOneTrace(t *testing.T) {
	collector := otlptest.New(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	s := &shop{database: databasetest.SQLite(t), config: shoptest.Config, log: shoptest.Log()}
	s.start(t)
	ann, gate := s.signUp(t, "ann"), s.gateway.URL()+"/api/v1"
	order := shoptest.Do(t, "POST", gate+"/order/create", ann.token, loafersAndSunglasses).Want(t, 200).Member(t, "order.id")
	paid := shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, order)).Want(t, 200)
	shoptest.Do(t, "GET", gate+"/"+strings.Repeat("%ff", 1000), "", "").Want(t, 404) // A collector takes text only.
	shoptest.Do(t, "GET", s.gateway.URL()+"/readyz", "", "").Want(t, 200)
	if err := s.close(); err != nil { // It sends the rest.
		t.Fatal(err)
	}
	timing := servertiming.Parse(paid.Header.Values("Server-Timing"))
	id := timing[len(timing)-1].Desc[3:35]

	byID := map[string]otlptest.Span{}
	for _, span := range collector.Spans() {
		if hex.EncodeToString(span.TraceId) == id {
			byID[hex.EncodeToString(span.SpanId)] = span
		}
		if span.Resource["service.name"] == "" || span.Resource["service.instance.id"] == "" || span.Resource["deployment.environment.name"] != "test" {
			t.Errorf("%s is a span of %v", span.Name, span.Resource)
		}
		if path := otlptest.Texts(span.Attributes)["url.path"]; len(path) > 1000 {
			t.Errorf("a span keeps a path of %d bytes", len(path))
		}
		if span.Name == "GET /readyz" {
			t.Error("a probe is a span")
		}
	}
	var lines []string
	for _, span := range byID {
		line := span.Resource["service.name"] + " " + span.Name
		for parent, ok := byID[hex.EncodeToString(span.ParentSpanId)]; ok; parent, ok = byID[hex.EncodeToString(parent.ParentSpanId)] {
			line = parent.Resource["service.name"] + " > " + line
		}
		lines = append(lines, line)
		if span.StartTimeUnixNano == 0 || span.EndTimeUnixNano < span.StartTimeUnixNano || span.Status.GetCode() != v1.Status_STATUS_CODE_UNSET {
			t.Errorf("%v", span)
		}
	}
	slices.Sort(lines)
	want := []string{
		"api-gateway > api-gateway > payments-svc > payments-svc > orders-svc GET /orders/{id}",
		"api-gateway > api-gateway > payments-svc > payments-svc > orders-svc PATCH /orders/{id}/status",
		"api-gateway > api-gateway > payments-svc > payments-svc GET orders-svc",
		"api-gateway > api-gateway > payments-svc > payments-svc PATCH orders-svc",
		"api-gateway > api-gateway > payments-svc POST /payments",
		"api-gateway > api-gateway POST payments-svc",
		"api-gateway POST /api/v1/payments/pay",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("the trace is\n%q\nwant\n%q", lines, want)
	}
}
