// Package telemetry lets a service be watched: traces and metrics of OpenTelemetry, the
// header Server-Timing, and the context of a trace, which is passed on from service to
// service as W3C has it (https://www.w3.org/TR/trace-context/), also where no trace is
// recorded.
//
// There are no globals: a context carries the telemetry of its service.
package telemetry

import (
	"context"
	"log"
	"log/slog"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/koshop/koshop/internal/shop/telemetry/servertiming"
)

// scope names what records the spans and metrics.
const scope = "github.com/koshop/koshop/internal/shop/telemetry"

// Telemetry is that of one service.
type Telemetry struct {
	self   servertiming.Entry // what each answer says of the service
	tracer trace.Tracer
	quiet  trace.Tracer // passes contexts on and records nothing

	meter          metric.Meter
	served, called metric.Float64Histogram
	scraped        *sdkmetric.ManualReader // nil without metrics

	providers, exporters []closer
}

type closer interface{ Shutdown(context.Context) error }

// New returns the telemetry of the named service. Until Open is called it records nothing
// and only passes on the trace of a request.
func New(service string) *Telemetry {
	// What the caller records goes on as recorded, so that services behind do so too.
	forward := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))
	quiet := forward.Tracer(scope)
	t := &Telemetry{self: identify(service), tracer: quiet, quiet: quiet}
	t.measure(noop.NewMeterProvider().Meter(scope))
	return t
}

// unknown is for contexts of no service.
var unknown = sync.OnceValue(func() *Telemetry { return New("") })

type key struct{}

// With returns a context that carries the telemetry.
func With(ctx context.Context, t *Telemetry) context.Context {
	return context.WithValue(ctx, key{}, t)
}

// From returns the telemetry that the context carries. Without one it is that of no
// service, which records nothing.
func From(ctx context.Context) *Telemetry {
	if t, ok := ctx.Value(key{}).(*Telemetry); ok {
		return t
	}
	return unknown()
}

// Start starts a span for work of the service itself. It starts a new trace if the context
// has none. The function that it returns ends the span.
func Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, func()) {
	ctx, span := From(ctx).tracer.Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, func() { span.End() }
}

// ErrorLog returns what [http.Server.ErrorLog] needs. A server does not say to which
// request a line belongs, so each line has a trace of its own.
func (t *Telemetry) ErrorLog(to *slog.Logger) *log.Logger {
	return slog.NewLogLogger(tracedLines{to.Handler(), t}, slog.LevelWarn)
}

type tracedLines struct {
	slog.Handler
	telemetry *Telemetry
}

// Handle is [slog.Handler]'s.
func (h tracedLines) Handle(ctx context.Context, r slog.Record) error {
	ctx, end := Start(With(ctx, h.telemetry), "serve")
	defer end()
	return h.Handler.Handle(ctx, r)
}
