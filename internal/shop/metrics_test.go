package shop_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/server"
	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/shoptest/ports"
	"github.com/koshop/koshop/internal/shop/telemetry/otlptest"
)

// measuredShop returns a shop whose services have metrics, and where those are.
func measuredShop(t *testing.T) (s *shop, pages map[string]string) {
	t.Helper()
	var numbers []int
	s = &shop{database: databasetest.SQLite(t), log: shoptest.Log(), config: func() server.Config {
		cfg := shoptest.Config()
		cfg.MetricsPort = ports.Free(t)
		numbers = append(numbers, cfg.MetricsPort)
		return cfg
	}}
	s.start(t)
	pages = map[string]string{}
	for i, name := range []string{"user-svc", "product-svc", "orders-svc", "payments-svc", "api-gateway"} { // as start has it
		pages[name] = fmt.Sprintf("http://127.0.0.1:%d/metrics", numbers[i])
	}
	return s, pages
}

// scrape reads a page as Prometheus does.
func scrape(t *testing.T, page string) map[string]*dto.MetricFamily {
	t.Helper()
	response, err := http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", page, response.StatusCode, err)
	}
	return families
}

// find returns the metrics of a family that have the labels.
func find(f *dto.MetricFamily, labels ...string) []*dto.Metric {
	return slices.DeleteFunc(slices.Clone(f.GetMetric()), func(m *dto.Metric) bool {
		return slices.ContainsFunc(labels, func(wanted string) bool {
			return !slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName()+"="+l.GetValue() == wanted })
		})
	})
}

func TestMetrics(t *testing.T) {
	s, pages := measuredShop(t)
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	ann, gate := s.signUp(t, "ann"), s.gateway.URL()+"/api/v1"
	order := shoptest.Do(t, "POST", gate+"/order/create", ann.token, loafersAndSunglasses).Want(t, 200).Member(t, "order.id")
	shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, order)).Want(t, 200)
	for i := range 100 { // Whatever is asked for, there are few series.
		shoptest.Do(t, "GET", fmt.Sprintf("%s/order/nothing-%d", gate, i), ann.token, "").Want(t, 404)
		shoptest.Do(t, "GET", fmt.Sprintf("%s/nowhere/%d", gate, i), "", "").Want(t, 404)
		shoptest.Do(t, fmt.Sprintf("ODD%d", i), gate+"/products", "", "").Want(t, 405)
	}

	gateway := scrape(t, pages["api-gateway"])
	served := gateway["http_server_request_duration_seconds"]
	if served.GetType() != dto.MetricType_HISTOGRAM || len(served.Metric) > 6 {
		t.Errorf("%d series of %v", len(served.GetMetric()), served.GetType())
	}
	for _, want := range []struct {
		labels []string
		count  uint64
	}{
		{[]string{"http_request_method=POST", "http_route=/api/v1/payments/pay", "http_response_status_code=200"}, 1},
		{[]string{"http_request_method=GET", "http_route=/api/v1/order/{id}", "http_response_status_code=404"}, 100},
		{[]string{"http_request_method=GET", "http_route=other", "http_response_status_code=404"}, 100},
		{[]string{"http_request_method=_OTHER", "http_response_status_code=405"}, 100},
	} {
		found := find(served, want.labels...)
		if len(found) != 1 || found[0].Histogram.GetSampleCount() != want.count || found[0].Histogram.GetSampleSum() <= 0 {
			t.Errorf("%v: %v, want %d requests", want.labels, found, want.count)
		}
	}
	if got := find(gateway["http_client_request_duration_seconds"], "peer_service=payments-svc", "http_response_status_code=200"); len(got) != 1 {
		t.Errorf("calls of payments-svc: %v", got)
	}
	checkDocumented(t, pages)
	for service, names := range map[string]string{
		"api-gateway":  "target_info go_goroutines go_memstats_heap_alloc_bytes process_cpu_seconds_total process_resident_memory_bytes process_open_fds process_start_time_seconds",
		"product-svc":  "http_server_request_duration_seconds",
		"orders-svc":   "db_client_connection_count db_client_connection_max db_client_connection_waits_total db_client_connection_wait_duration_seconds_total",
		"user-svc":     "argon2_queue argon2_refused_total db_client_connection_count",
		"payments-svc": "payments_settlements_total payments_pending_oldest_age_seconds db_client_connection_count",
	} {
		families := scrape(t, pages[service])
		for name := range strings.FieldsSeq(names) {
			if len(families[name].GetMetric()) == 0 {
				t.Errorf("%s has no %s", service, name)
			}
		}
		if got := find(families["target_info"], "service_name="+service); len(got) != 1 {
			t.Errorf("%s says it is %v", service, families["target_info"])
		}
	}
	if got := find(scrape(t, pages["user-svc"])["argon2_queue"], "state=running"); len(got) != 1 || got[0].Gauge.GetValue() != 0 {
		t.Errorf("passwords that are hashed: %v", got)
	}
}

// checkDocumented compares the names of all metrics with those in the documentation.
func checkDocumented(t *testing.T, pages map[string]string) {
	t.Helper()
	document, err := os.ReadFile("../../docs/shop/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(document), "**Metrics.**")
	if !found {
		t.Fatal("the documentation has no section of metrics")
	}
	documented := map[string]bool{}
	for row := range strings.Lines(section) {
		if cells := strings.Split(row, "|"); len(cells) == 5 { // of a table with labels
			for _, name := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(cells[1], -1) {
				documented[name[1]] = true
			}
		}
	}
	measured := map[string]bool{}
	for _, page := range pages {
		for name := range scrape(t, page) {
			measured[name] = true
		}
	}
	if !maps.Equal(documented, measured) {
		t.Errorf("documented: %v\nmeasured: %v", slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(measured)))
	}
}

// Metrics have a port of their own; the one of the service does not show them.
func TestMetricsAreNotPublic(t *testing.T) {
	s, pages := measuredShop(t)
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	shoptest.Do(t, "GET", s.gateway.URL()+"/metrics", "", "").Want(t, 404)
	shoptest.Do(t, "GET", strings.TrimSuffix(pages["api-gateway"], "metrics")+"api/v1/products", "", "").Want(t, 404)
}

// A collector gets the metrics that Prometheus would.
func TestMetricsAreSent(t *testing.T) {
	collector := otlptest.New(t)
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", collector.URL+"/v1/metrics")
	s := &shop{database: databasetest.SQLite(t), log: shoptest.Log(), config: shoptest.Config}
	s.start(t)
	shoptest.Do(t, "GET", s.gateway.URL()+"/api/v1/products", "", "").Want(t, 200)
	if err := s.close(); err != nil { // It sends the last ones.
		t.Fatal(err)
	}
	var requests uint64
	for _, resource := range collector.Metrics() {
		service := otlptest.Texts(resource.Resource.Attributes)["service.name"]
		for _, metric := range resource.ScopeMetrics[0].Metrics {
			for _, point := range metric.GetHistogram().GetDataPoints() {
				if texts := otlptest.Texts(point.Attributes); service == "api-gateway" && metric.Name == "http.server.request.duration" && texts["http.route"] == "/api/v1/products" {
					requests += point.Count
				}
				if len(point.BucketCounts) != len(point.ExplicitBounds)+1 || point.TimeUnixNano < point.StartTimeUnixNano {
					t.Errorf("%s of %s: %v", metric.Name, service, point)
				}
			}
		}
	}
	if requests != 1 || len(collector.Spans()) > 0 {
		t.Errorf("%d requests, %d spans", requests, len(collector.Spans()))
	}
}
