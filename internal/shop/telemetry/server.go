package telemetry

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/koshop/koshop/internal/shop/telemetry/servertiming"
)

// Middleware makes each request a span, measures it, and writes Server-Timing. It
// belongs to a router of chi, before everything that logs. Probes become no span: a
// kubelet sends them all the time.
func (t *Telemetry) Middleware(isProbe func(path string) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tracer := t.tracer
			if isProbe(r.URL.Path) {
				tracer = t.quiet
			}
			t.serve(w, r, next, tracer)
		})
	}
}

func (t *Telemetry) serve(w http.ResponseWriter, r *http.Request, next http.Handler, tracer trace.Tracer) {
	begin, calls := time.Now(), &hops{}
	ctx := context.WithValue(extract(With(r.Context(), t), r.Header), hopsKey{}, calls)
	ctx, span := tracer.Start(ctx, methodOf(r), trace.WithSpanKind(trace.SpanKindServer))
	if span.IsRecording() { // Neither the query nor the client's address: they are personal data.
		span.SetAttributes(attribute.String("http.request.method", methodOf(r)), attribute.String("url.path", pathOf(r)))
	}
	answer := &Answer{ResponseWriter: w, Before: func(header http.Header) {
		own := t.self
		own.Duration = time.Since(begin)
		header.Set(servertiming.Header, timing(own, calls.entries(), span.SpanContext()))
	}}
	defer func() {
		route := routeOf(r)
		span.SetName(methodOf(r) + " " + route)
		span.SetAttributes(attribute.String("http.route", route), attribute.Int("http.response.status_code", answer.Status))
		if answer.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
		record(ctx, t.served, begin, attribute.String("http.request.method", methodOf(r)), attribute.String("http.route", route),
			attribute.Int("http.response.status_code", answer.Status))
	}()
	next.ServeHTTP(answer, r.WithContext(ctx))
	answer.begin(http.StatusOK) // Where nothing was written, net/http sends that.
}

// maxPath bounds what a span keeps of a path, in bytes.
const maxPath = 256

func pathOf(r *http.Request) string { return r.URL.Path[:min(len(r.URL.Path), maxPath)] }

// timing is the value of Server-Timing. The trace comes last, as several vendors have it.
func timing(own servertiming.Entry, calls []servertiming.Entry, span trace.SpanContext) string {
	parent := servertiming.Entry{Name: parentEntry, Duration: servertiming.Unmeasured, Desc: parentOf(span)}
	return servertiming.Format(append([]servertiming.Entry{own}, calls...)) + ", " + parent.String()
}

// parentEntry is the name of the entry that has the trace.
const parentEntry = "traceparent"

// routeOf returns the pattern of the route that a request took: there are few of those.
func routeOf(r *http.Request) string {
	if route := chi.RouteContext(r.Context()); route != nil {
		if pattern := route.RoutePattern(); pattern != "" && pattern != "/*" {
			return pattern
		}
	}
	return "other"
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
}

// methodOf returns the method of a request, or _OTHER for an unknown one.
func methodOf(r *http.Request) string {
	if slices.Contains(methods, r.Method) {
		return r.Method
	}
	return "_OTHER"
}
