// Package promtext writes metrics in the text format of Prometheus
// (https://prometheus.io/docs/instrumenting/exposition_formats/), by the names that
// OpenTelemetry gives them there
// (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/).
package promtext

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// ContentType is that of the format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Encode writes the metrics: gauges, sums and histograms since the start.
func Encode(all *metricdata.ResourceMetrics) []byte {
	var p page
	p.family("target_info", "gauge", "What is measured")
	p.sample("target_info", labels(all.Resource.Attributes()), 1)
	for _, scope := range all.ScopeMetrics {
		metrics := slices.SortedFunc(slices.Values(scope.Metrics), func(a, b metricdata.Metrics) int { return cmp.Compare(a.Name, b.Name) })
		for _, m := range metrics {
			p.metric(m)
		}
	}
	return p
}

type page []byte

func (p *page) metric(m metricdata.Metrics) {
	name := nameOf(m)
	switch data := m.Data.(type) {
	case metricdata.Gauge[float64]:
		p.family(name, "gauge", m.Description)
		p.points(name, data.DataPoints)
	case metricdata.Sum[float64]:
		kind := "gauge"
		if data.IsMonotonic {
			kind = "counter"
		}
		p.family(name, kind, m.Description)
		p.points(name, data.DataPoints)
	case metricdata.Histogram[float64]:
		p.family(name, "histogram", m.Description)
		for _, point := range data.DataPoints {
			p.histogram(name, point)
		}
	}
}

// nameOf returns the name of a metric, with its unit.
func nameOf(m metricdata.Metrics) string {
	name := label(m.Name)
	if unit := map[string]string{"s": "_seconds", "By": "_bytes"}[m.Unit]; !strings.HasSuffix(name, unit) {
		name += unit
	}
	if sum, ok := m.Data.(metricdata.Sum[float64]); ok && sum.IsMonotonic {
		name += "_total"
	}
	return name
}

func (p *page) family(name, kind, help string) {
	help = strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help)
	*p = fmt.Appendf(*p, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (p *page) points(name string, points []metricdata.DataPoint[float64]) {
	for _, point := range points {
		p.sample(name, labels(point.Attributes.ToSlice()), point.Value)
	}
}

func (p *page) histogram(name string, point metricdata.HistogramDataPoint[float64]) {
	set := labels(point.Attributes.ToSlice())
	var below uint64
	for i, count := range point.BucketCounts {
		bound := "+Inf"
		if i < len(point.Bounds) {
			bound = strconv.FormatFloat(point.Bounds[i], 'g', -1, 64)
		}
		below += count
		p.sample(name+"_bucket", append(slices.Clone(set), `le="`+bound+`"`), float64(below))
	}
	p.sample(name+"_sum", set, point.Sum)
	p.sample(name+"_count", set, float64(point.Count))
}

func (p *page) sample(name string, labels []string, value float64) {
	*p = append(*p, name...)
	if len(labels) > 0 {
		*p = fmt.Appendf(*p, "{%s}", strings.Join(labels, ","))
	}
	*p = fmt.Appendf(*p, " %s\n", strconv.FormatFloat(value, 'g', -1, 64))
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labels returns a label for each attribute.
func labels(attributes []attribute.KeyValue) []string {
	var list []string
	for _, a := range attributes {
		name := label(string(a.Key)) + "="
		if slices.ContainsFunc(list, func(l string) bool { return strings.HasPrefix(l, name) }) {
			continue // a.b and a_b are one label
		}
		list = append(list, name+`"`+escape.Replace(strings.ToValidUTF8(a.Value.String(), "\uFFFD"))+`"`)
	}
	return list
}

// label returns a name with what Prometheus allows in it.
func label(name string) string {
	legal := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
	if legal == "" || legal[0] >= '0' && legal[0] <= '9' {
		legal = "_" + legal
	}
	return legal
}
