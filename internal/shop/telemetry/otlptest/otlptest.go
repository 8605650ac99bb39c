// Package otlptest is a collector of OpenTelemetry for tests.
package otlptest

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector keeps what it is sent.
type Collector struct {
	URL string

	mu      sync.Mutex
	spans   []Span
	metrics []*metricspb.ResourceMetrics
	headers []http.Header
	refuse  []int // statuses of the next answers
}

// Span is a span with the resource that it is of.
type Span struct {
	*tracepb.Span
	Resource map[string]string
}

// New returns a collector that listens until the test ends.
func New(t *testing.T) *Collector {
	c := &Collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		var data tracepb.TracesData // has the form of an ExportTraceServiceRequest
		if c.read(t, w, r, &data) {
			c.addSpans(&data)
		}
	})
	mux.HandleFunc("POST /v1/metrics", func(w http.ResponseWriter, r *http.Request) {
		var data metricspb.MetricsData // has the form of an ExportMetricsServiceRequest
		if c.read(t, w, r, &data) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.metrics = append(c.metrics, data.ResourceMetrics...)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Refuse makes the next answers have the statuses.
func (c *Collector) Refuse(statuses ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = statuses
}

func (c *Collector) read(t *testing.T, w http.ResponseWriter, r *http.Request, into proto.Message) bool {
	c.mu.Lock()
	c.headers = append(c.headers, r.Header.Clone())
	if len(c.refuse) > 0 {
		w.WriteHeader(c.refuse[0])
		c.refuse = c.refuse[1:]
		c.mu.Unlock()
		return false
	}
	c.mu.Unlock()
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return false
		}
		body = unzipped
	}
	sent, err := io.ReadAll(body)
	if err == nil {
		err = proto.Unmarshal(sent, into)
	}
	if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("the collector got what it does not understand: %v, %v", r.Header, err)
	}
	if unknown := into.ProtoReflect().GetUnknown(); len(unknown) > 0 {
		t.Errorf("unknown fields: %x", unknown)
	}
	return err == nil
}

func (c *Collector) addSpans(data *tracepb.TracesData) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range data.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				c.spans = append(c.spans, Span{span, Texts(resource.Resource.Attributes)})
			}
		}
	}
}

// Texts returns the attributes that are texts.
func Texts(attributes []*commonpb.KeyValue) map[string]string {
	texts := map[string]string{}
	for _, a := range attributes {
		texts[a.Key] = a.Value.GetStringValue()
	}
	return texts
}

// Spans returns the spans that came.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Metrics returns the metrics that came.
func (c *Collector) Metrics() []*metricspb.ResourceMetrics {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*metricspb.ResourceMetrics(nil), c.metrics...)
}

// Headers returns those of the requests that came.
func (c *Collector) Headers() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]http.Header(nil), c.headers...)
}
