package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/koshop/koshop/internal/shop/telemetry/otlp"
)

// Open starts to record what the standard variables of OpenTelemetry ask for, and
// metrics if they are scraped. It comes before the first request, and fails if a
// variable does not fit.
func (t *Telemetry) Open(ctx context.Context, isScraped bool, log *slog.Logger) error {
	traces, err := otlp.FromEnvironment(otlp.TraceSignal)
	metrics, metricsErr := otlp.FromEnvironment(otlp.MetricSignal)
	if err := errors.Join(err, metricsErr); err != nil {
		return err
	}
	if traces == nil && metrics == nil && !isScraped {
		return nil
	}
	about, err := t.resource(ctx)
	if err != nil {
		return fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	if traces != nil {
		exporter := otlp.NewTraces(traces, log)
		provider := sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithBatcher(exporter))
		t.tracer = provider.Tracer(scope)
		t.providers, t.exporters = append(t.providers, provider), append(t.exporters, exporter)
	}
	if metrics != nil || isScraped {
		t.openMetrics(about, metrics, log)
	}
	return nil
}

func (t *Telemetry) openMetrics(about *resource.Resource, settings *otlp.Settings, log *slog.Logger) {
	t.scraped = metric.NewManualReader()
	options := []metric.Option{metric.WithResource(about), metric.WithReader(t.scraped), metric.WithExemplarFilter(exemplar.AlwaysOffFilter)}
	if settings != nil {
		exporter := otlp.NewMetrics(settings, log)
		options = append(options, metric.WithReader(metric.NewPeriodicReader(exporter)))
		t.exporters = append(t.exporters, exporter)
	}
	provider := metric.NewMeterProvider(options...)
	t.measure(provider.Meter(scope))
	t.providers = append(t.providers, provider)
	t.Observe(process()...)
}

// resource describes the service; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go
// before what is known here.
func (t *Telemetry) resource(ctx context.Context) (*resource.Resource, error) {
	host, _ := os.Hostname() // Without a name, it is empty.
	return resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", t.self.Name), attribute.String("service.version", t.self.Version),
		attribute.String("service.instance.id", uuid.NewString()), attribute.String("host.name", host),
	), resource.WithFromEnv())
}

// Close sends what was recorded and has not been sent yet. When ctx ends, what has not
// been sent by then is given up.
func (t *Telemetry) Close(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		for _, exporter := range t.exporters {
			exporter.Shutdown(ctx) // never fails
		}
	})()
	var errs []error
	for _, provider := range t.providers { // It ends its exporter too, and waits for that.
		errs = append(errs, provider.Shutdown(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
}
