package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// extract returns a context with the trace that a request belongs to. One with a header
// that does not fit belongs to none, and starts a new trace.
func extract(ctx context.Context, header http.Header) context.Context {
	return propagation.TraceContext{}.Extract(ctx, carrier(header))
}

// inject puts the span of the context into a request's headers.
func inject(ctx context.Context, header http.Header) {
	propagation.TraceContext{}.Inject(ctx, carrier(header))
}

// maxHeader bounds what is passed on, in bytes: so much of tracestate has to be
// (https://www.w3.org/TR/trace-context/#tracestate-limits), and a span keeps it.
const maxHeader = 512

// carrier joins headers that came several times: that is right for tracestate, and makes
// a second traceparent what it is, an error.
type carrier http.Header

func (c carrier) Get(name string) string {
	value := strings.Join(http.Header(c).Values(name), ",")
	if len(value) > maxHeader {
		return ""
	}
	return value
}

func (c carrier) Set(name, value string) { http.Header(c).Set(name, value) }

func (c carrier) Keys() []string { return nil } // The format has no names of its own to look for.

// parentOf returns a span as the header traceparent has it.
func parentOf(span trace.SpanContext) string {
	return fmt.Sprintf("00-%s-%s-%s", span.TraceID(), span.SpanID(), span.TraceFlags())
}
