package telemetry

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/koshop/koshop/internal/shop/telemetry/promtext"
)

// bounds are those of OpenTelemetry for the durations of requests, in seconds.
var bounds = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

// measure makes the instruments of requests.
func (t *Telemetry) measure(meter metric.Meter) {
	t.meter = meter
	t.served = t.histogram("http.server.request.duration", "Duration of the requests that are served")
	t.called = t.histogram("http.client.request.duration", "Duration of the requests to other services")
}

func (t *Telemetry) histogram(name, about string) metric.Float64Histogram {
	return must(t.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about), metric.WithExplicitBucketBoundaries(bounds...)))
}

// must returns an instrument. An error means that its name is not valid.
func must[I any](instrument I, err error) I {
	if err != nil {
		panic(err)
	}
	return instrument
}

// Reading is a number that is read whenever metrics are asked for.
type Reading struct {
	Name       string // as OpenTelemetry has it: a.b.c
	Unit       string // "s", "By", or {things}
	About      string
	IsTotal    bool // it only grows
	Read       func() float64
	Attributes []attribute.KeyValue
}

// Observe adds readings to the metrics, if there are any.
func (t *Telemetry) Observe(readings ...Reading) {
	for _, r := range readings {
		read := metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(r.Read(), metric.WithAttributes(r.Attributes...))
			return nil
		})
		if r.IsTotal {
			must(t.meter.Float64ObservableCounter(r.Name, metric.WithUnit(r.Unit), metric.WithDescription(r.About), read))
		} else {
			must(t.meter.Float64ObservableGauge(r.Name, metric.WithUnit(r.Unit), metric.WithDescription(r.About), read))
		}
	}
}

// record adds a request to a histogram.
func record(ctx context.Context, h metric.Float64Histogram, began time.Time, attributes ...attribute.KeyValue) {
	if !h.Enabled(ctx) { // To sort the attributes would take longer than all else here.
		return
	}
	h.Record(ctx, time.Since(began).Seconds(), metric.WithAttributes(attributes...))
}

// Handler returns the page /metrics in the format of Prometheus, once the telemetry is
// open.
func (t *Telemetry) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		var all metricdata.ResourceMetrics
		if err := t.scraped.Collect(r.Context(), &all); err != nil {
			http.Error(w, "The metrics cannot be read", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", promtext.ContentType)
		w.Write(promtext.Encode(&all))
	})
	return mux
}
