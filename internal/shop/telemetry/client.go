package telemetry

import (
	"context"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/koshop/koshop/internal/shop/telemetry/servertiming"
)

// Transport sends requests to the named service through next. Each request is a span, also
// when it repeats another one, and carries the span's context to the service. The entries
// of Server-Timing in its answer become part of the answer to the caller's own request.
func Transport(service string, next *http.Transport) http.RoundTripper {
	return &transport{service, next}
}

type transport struct {
	service string
	*http.Transport
}

// RoundTrip is [http.RoundTripper]'s.
func (c *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	begin, t, end := time.Now(), From(r.Context()), beginCall(r.Context())
	ctx, span := t.tracer.Start(r.Context(), r.Method+" "+c.service, trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	if span.IsRecording() { // The query may name a user, and is left out.
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("peer.service", c.service),
			attribute.String("server.address", r.URL.Hostname()), attribute.String("url.path", pathOf(r)))
	}
	r = r.WithContext(ctx)
	r.Header = r.Header.Clone()
	inject(ctx, r.Header)

	res, err := c.Transport.RoundTrip(r)
	outcome := attribute.String("error.type", "no answer")
	if err == nil {
		outcome = attribute.Int("http.response.status_code", res.StatusCode)
	}
	span.SetAttributes(outcome)
	if err != nil || res.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	record(ctx, t.called, begin, attribute.String("http.request.method", r.Method), attribute.String("peer.service", c.service), outcome)
	var header http.Header
	if res != nil {
		header = res.Header
	}
	end(hopsOf(c.service, header, time.Since(begin), t.self.Name))
	return res, err
}

// Shared notes that a request used the answer to another request to the service, and how
// long it has waited for it.
func Shared(ctx context.Context, service string, answer http.Header, since time.Time) {
	beginCall(ctx)(hopsOf(service, answer, time.Since(since), From(ctx).self.Name))
}

// hopsOf returns the entries of an answer. If the service did not answer, or its
// answer has no entry for the service, there is an entry with the time of the call.
func hopsOf(service string, answer http.Header, took time.Duration, caller string) []servertiming.Entry {
	entries := servertiming.Parse(answer.Values(servertiming.Header))
	entries = slices.DeleteFunc(entries, func(e servertiming.Entry) bool { return e.Name == parentEntry })
	if !slices.ContainsFunc(entries, func(e servertiming.Entry) bool { return e.Name == service }) {
		entries = slices.Insert(entries, 0, servertiming.Entry{Name: service, Duration: took})
	}
	for i := range entries {
		if entries[i].By == "" {
			entries[i].By = caller
		}
	}
	return entries
}
