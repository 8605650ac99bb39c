package otlp_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/koshop/koshop/internal/shop/telemetry/otlp"
	"github.com/koshop/koshop/internal/shop/telemetry/otlptest"
)

func setenv(t *testing.T, variables string) {
	t.Helper()
	for pair := range strings.FieldsSeq(variables) {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv("OTEL_"+name, value)
	}
}

func TestWhatIsSent(t *testing.T) {
	for variables, want := range map[string][2]bool{ // traces, metrics
		"":                                     {},
		"EXPORTER_OTLP_ENDPOINT=http://a:4318": {true, true},
		"EXPORTER_OTLP_TRACES_ENDPOINT=http://a:4318/v1/traces":       {true, false},
		"EXPORTER_OTLP_METRICS_ENDPOINT=http://a:4318":                {false, true},
		"TRACES_EXPORTER=otlp":                                        {true, false},
		"METRICS_EXPORTER=otlp,prometheus":                            {false, true},
		"METRICS_EXPORTER=prometheus EXPORTER_OTLP_ENDPOINT=http://a": {true, false},
		"TRACES_EXPORTER=none EXPORTER_OTLP_ENDPOINT=http://a":        {false, true},
		"SDK_DISABLED=true EXPORTER_OTLP_ENDPOINT=http://a":           {},
		"SDK_DISABLED=yes TRACES_EXPORTER=otlp":                       {true, false},
	} {
		t.Run(variables, func(t *testing.T) {
			setenv(t, variables)
			for i, signal := range []otlp.Signal{otlp.TraceSignal, otlp.MetricSignal} {
				if s, err := otlp.FromEnvironment(signal); err != nil || (s != nil) != want[i] {
					t.Errorf("%s: %v, %v", signal, s, err)
				}
			}
		})
	}
}

func TestSettingsThatDoNotFit(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for variables, want := range map[string]string{
		"TRACES_EXPORTER=zipkin":                   `OTEL_TRACES_EXPORTER="zipkin": must be one of otlp, none`,
		"EXPORTER_OTLP_PROTOCOL=grpc":              "OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf",
		"EXPORTER_OTLP_ENDPOINT=collector:4318":    "OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL such as http://collector:4318",
		"EXPORTER_OTLP_HEADERS=secret":             "OTEL_EXPORTER_OTLP_HEADERS: must be pairs such as name=value,name=value",
		"EXPORTER_OTLP_HEADERS=a=secret%0d%0ab:c":  "OTEL_EXPORTER_OTLP_HEADERS: must be pairs such as name=value,name=value",
		"EXPORTER_OTLP_TIMEOUT=10s":                "OTEL_EXPORTER_OTLP_TIMEOUT: must be a number of milliseconds",
		"EXPORTER_OTLP_COMPRESSION=zstd":           "OTEL_EXPORTER_OTLP_COMPRESSION: must be gzip or none",
		"EXPORTER_OTLP_CERTIFICATE=" + empty:       "OTEL_EXPORTER_OTLP_CERTIFICATE: there is no certificate in the file",
		"EXPORTER_OTLP_CLIENT_CERTIFICATE=nowhere": "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: open nowhere: no such file or directory",
	} {
		t.Run(variables, func(t *testing.T) {
			setenv(t, "TRACES_EXPORTER=otlp")
			setenv(t, variables)
			if _, err := otlp.FromEnvironment(otlp.TraceSignal); err == nil || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}

// record makes one span and sends it.
func record(t *testing.T, log *slog.Logger) {
	t.Helper()
	settings, err := otlp.FromEnvironment(otlp.TraceSignal)
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(otlp.NewTraces(settings, log)))
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, Remote: true})
	_, span := provider.Tracer("a scope", trace.WithInstrumentationVersion("v1")).Start(trace.ContextWithSpanContext(t.Context(), parent), "a span",
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("text", "ü\xff"), attribute.Int("number", -3), attribute.Float64("part", 0.5), attribute.Bool("yes", true), attribute.String("empty", "")))
	span.SetStatus(codes.Error, "it failed")
	span.End()
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSpan(t *testing.T) {
	collector := otlptest.New(t)
	setenv(t, "EXPORTER_OTLP_ENDPOINT="+collector.URL+"/ EXPORTER_OTLP_HEADERS=api-key=a%20b,x=y EXPORTER_OTLP_COMPRESSION=gzip")
	record(t, slog.New(slog.DiscardHandler))
	if header := collector.Headers()[0]; header.Get("Api-Key") != "a b" || header.Get("X") != "y" || header.Get("Content-Encoding") != "gzip" {
		t.Errorf("headers %v", header)
	}
	span := collector.Spans()[0]
	if span.Name != "a span" || span.Kind.String() != "SPAN_KIND_CLIENT" || span.Status.Message != "it failed" || span.Status.Code.String() != "STATUS_CODE_ERROR" {
		t.Errorf("%v", span.Span)
	}
	if hex.EncodeToString(span.TraceId) != "01"+strings.Repeat("0", 30) || hex.EncodeToString(span.ParentSpanId) != "02"+strings.Repeat("0", 14) || span.Flags != 0x301 {
		t.Errorf("%v", span.Span)
	}
	var values []string
	for _, a := range span.Attributes {
		values = append(values, a.Key+" "+strings.ReplaceAll(a.Value.String(), "  ", " "))
	}
	if want := "text string_value:\"ü\uFFFD\"" + `, number int_value:-3, part double_value:0.5, yes bool_value:true, empty string_value:""`; strings.Join(values, ", ") != want {
		t.Errorf("attributes %q, want %s", values, want)
	}
}

// What a collector refuses for a moment is sent again, and what it refuses for good is not.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		statuses []int
		sent     int
		logged   string
	}{
		{[]int{503, 429}, 1, ""},
		{[]int{400}, 0, "the collector answered 400"},
		{[]int{302}, 0, "the collector answered 302"},
	} {
		collector, logged := otlptest.New(t), &bytes.Buffer{}
		collector.Refuse(test.statuses...)
		setenv(t, "EXPORTER_OTLP_TRACES_ENDPOINT="+collector.URL+"/v1/traces")
		record(t, slog.New(slog.NewTextHandler(logged, nil)))
		if got := len(collector.Spans()); got != test.sent || !strings.Contains(logged.String(), test.logged) || test.logged == "" && logged.Len() > 0 {
			t.Errorf("%v: %d spans came, log %q", test.statuses, got, logged)
		}
	}
}

// To close does not wait for a collector that cannot be reached.
func TestClose(t *testing.T) {
	setenv(t, "EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:1")
	settings, err := otlp.FromEnvironment(otlp.TraceSignal)
	if err != nil {
		t.Fatal(err)
	}
	traces, ended := otlp.NewTraces(settings, slog.New(slog.DiscardHandler)), make(chan struct{})
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(traces))
	go func() {
		defer close(ended)
		_, span := provider.Tracer("a").Start(context.Background(), "b")
		span.End()
	}()
	if err := traces.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-ended // The test would time out.
}
