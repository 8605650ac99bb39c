package promtext

import (
	"math"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

func TestEncode(t *testing.T) {
	set := attribute.NewSet(attribute.String("http.route", "a\"b\\c\nd\xff"), attribute.Int("code", 200))
	points := []metricdata.DataPoint[float64]{{Attributes: set, Value: 1.5}, {Value: math.NaN()}}
	all := &metricdata.ResourceMetrics{
		Resource: resource.NewSchemaless(attribute.String("service.name", "a"), attribute.String("service_name", "b")),
		ScopeMetrics: []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{
			{Name: "z.time", Unit: "s", Description: "two\nlines", Data: metricdata.Histogram[float64]{DataPoints: []metricdata.HistogramDataPoint[float64]{
				{Count: 6, Sum: 12.25, Bounds: []float64{0.5, 10}, BucketCounts: []uint64{1, 2, 3}, Attributes: attribute.NewSet(attribute.Bool("x", true))},
			}}},
			{Name: "9.things", Unit: "{thing}", Data: metricdata.Sum[float64]{IsMonotonic: true, DataPoints: points}},
			{Name: "level", Unit: "By", Data: metricdata.Gauge[float64]{DataPoints: points[:1]}},
			{Name: "balance", Data: metricdata.Sum[float64]{DataPoints: points[1:]}},
		}}},
	}
	const want = `# HELP target_info What is measured
# TYPE target_info gauge
target_info{service_name="a"} 1
# HELP _9_things_total 
# TYPE _9_things_total counter
_9_things_total{code="200",http_route="a\"b\\c\nd` + "\uFFFD" + `"} 1.5
_9_things_total NaN
# HELP balance 
# TYPE balance gauge
balance NaN
# HELP level_bytes 
# TYPE level_bytes gauge
level_bytes{code="200",http_route="a\"b\\c\nd` + "\uFFFD" + `"} 1.5
# HELP z_time_seconds two\nlines
# TYPE z_time_seconds histogram
z_time_seconds_bucket{x="true",le="0.5"} 1
z_time_seconds_bucket{x="true",le="10"} 3
z_time_seconds_bucket{x="true",le="+Inf"} 6
z_time_seconds_sum{x="true"} 12.25
z_time_seconds_count{x="true"} 6
`
	if got := string(Encode(all)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
