package otlp

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Metrics sends metrics; it is a [metric.Exporter]. It sends what the services have:
// gauges, sums and histograms, since they started.
type Metrics struct{ sender *sender }

// NewMetrics returns what sends metrics.
func NewMetrics(s *Settings, log *slog.Logger) *Metrics { return &Metrics{newSender(s, log)} }

// Temporality is [metric.Exporter]'s.
func (*Metrics) Temporality(metric.InstrumentKind) metricdata.Temporality {
	return metricdata.CumulativeTemporality
}

// Aggregation is [metric.Exporter]'s.
func (*Metrics) Aggregation(kind metric.InstrumentKind) metric.Aggregation {
	return metric.DefaultAggregationSelector(kind)
}

// Export sends metrics. Failures go to the log.
func (x *Metrics) Export(ctx context.Context, all *metricdata.ResourceMetrics) error {
	x.sender.send(ctx, encodeMetrics(all))
	return nil
}

// ForceFlush has nothing to do: nothing is kept.
func (*Metrics) ForceFlush(context.Context) error { return nil }

// Shutdown gives up what is being sent.
func (x *Metrics) Shutdown(context.Context) error {
	x.sender.close()
	return nil
}

// encodeMetrics writes an ExportMetricsServiceRequest.
func encodeMetrics(all *metricdata.ResourceMetrics) message {
	var request message
	request.message(1, func(m *message) { // ResourceMetrics
		m.message(1, func(m *message) { m.attributes(1, all.Resource.Attributes()) })
		for _, scope := range all.ScopeMetrics {
			m.message(2, func(m *message) { // ScopeMetrics
				m.message(1, func(m *message) { m.scope(scope.Scope) })
				for _, metric := range scope.Metrics {
					m.message(2, func(m *message) { m.metric(metric) })
				}
			})
		}
	})
	return request
}

func (m *message) metric(metric metricdata.Metrics) {
	m.text(1, metric.Name)
	m.text(2, metric.Description)
	m.text(3, metric.Unit)
	switch data := metric.Data.(type) {
	case metricdata.Gauge[int64]:
		m.message(5, func(m *message) { points(m, data.DataPoints) })
	case metricdata.Gauge[float64]:
		m.message(5, func(m *message) { points(m, data.DataPoints) })
	case metricdata.Sum[int64]:
		m.message(7, func(m *message) { sum(m, data) })
	case metricdata.Sum[float64]:
		m.message(7, func(m *message) { sum(m, data) })
	case metricdata.Histogram[float64]:
		m.message(9, func(m *message) {
			for _, point := range data.DataPoints {
				m.message(1, func(m *message) { m.histogram(point) })
			}
			m.number(2, cumulative)
		})
	}
}

// cumulative is the number that OTLP gives to what is counted since the start.
const cumulative = 2

func sum[N int64 | float64](m *message, data metricdata.Sum[N]) {
	points(m, data.DataPoints)
	m.number(2, cumulative)
	if data.IsMonotonic {
		m.number(3, 1)
	}
}

func points[N int64 | float64](m *message, list []metricdata.DataPoint[N]) {
	for _, point := range list {
		m.message(1, func(m *message) {
			m.times(point.StartTime, point.Time)
			switch value := any(point.Value).(type) {
			case int64:
				m.fixed64(6, uint64(value))
			case float64:
				m.double(4, value)
			}
			m.attributes(7, point.Attributes.ToSlice())
		})
	}
}

func (m *message) times(start, end time.Time) {
	if !start.IsZero() { // A gauge has none.
		m.time(2, start)
	}
	m.time(3, end)
}

func (m *message) histogram(point metricdata.HistogramDataPoint[float64]) {
	m.times(point.StartTime, point.Time)
	m.fixed64(4, point.Count)
	m.double(5, point.Sum)
	var counts, bounds []byte
	for _, count := range point.BucketCounts {
		counts = binary.LittleEndian.AppendUint64(counts, count)
	}
	for _, bound := range point.Bounds {
		bounds = binary.LittleEndian.AppendUint64(bounds, math.Float64bits(bound))
	}
	m.bytes(6, counts)
	m.bytes(7, bounds)
	m.attributes(9, point.Attributes.ToSlice())
	if least, ok := point.Min.Value(); ok {
		m.double(11, least)
	}
	if most, ok := point.Max.Value(); ok {
		m.double(12, most)
	}
}
