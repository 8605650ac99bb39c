package otlp

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Traces sends spans; it is a [sdktrace.SpanExporter]. It does not send events and
// links, because the services do not make any.
type Traces struct{ sender *sender }

// NewTraces returns what sends spans.
func NewTraces(s *Settings, log *slog.Logger) *Traces { return &Traces{newSender(s, log)} }

// ExportSpans sends spans. Failures go to the log.
func (t *Traces) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) > 0 {
		t.sender.send(ctx, encodeSpans(spans))
	}
	return nil
}

// Shutdown gives up what is being sent.
func (t *Traces) Shutdown(context.Context) error {
	t.sender.close()
	return nil
}

// encodeSpans writes an ExportTraceServiceRequest. All spans are of one service, and of
// one scope.
func encodeSpans(spans []sdktrace.ReadOnlySpan) message {
	var request message
	request.message(1, func(m *message) { // ResourceSpans
		m.message(1, func(m *message) { m.attributes(1, spans[0].Resource().Attributes()) })
		m.message(2, func(m *message) { // ScopeSpans
			m.message(1, func(m *message) { m.scope(spans[0].InstrumentationScope()) })
			for _, span := range spans {
				m.message(2, func(m *message) { m.span(span) })
			}
		})
	})
	return request
}

func (m *message) span(s sdktrace.ReadOnlySpan) {
	id, span := s.SpanContext().TraceID(), s.SpanContext().SpanID()
	m.bytes(1, id[:])
	m.bytes(2, span[:])
	m.text(3, s.SpanContext().TraceState().String())
	if parent := s.Parent().SpanID(); parent.IsValid() {
		m.bytes(4, parent[:])
	}
	m.text(5, s.Name())
	m.number(6, uint64(s.SpanKind()))
	m.time(7, s.StartTime())
	m.time(8, s.EndTime())
	m.attributes(9, s.Attributes())
	m.number(10, uint64(s.DroppedAttributes()))
	m.message(15, func(m *message) {
		m.text(2, s.Status().Description)
		m.number(3, statuses[s.Status().Code])
	})
	m.fixed32(16, flagsOf(s.SpanContext(), s.Parent()))
}

// statuses are the numbers that OTLP gives them.
var statuses = map[codes.Code]uint64{codes.Unset: 0, codes.Ok: 1, codes.Error: 2}

// flagsOf says also whether the parent is in another process.
func flagsOf(span, parent trace.SpanContext) uint32 {
	const known, remote = 1 << 8, 1 << 9
	flags := uint32(span.TraceFlags()) | known
	if parent.IsRemote() {
		flags |= remote
	}
	return flags
}
