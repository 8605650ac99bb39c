// Package requestid gives every request an id that follows it from service to
// service and into every log line, where its trace is named too.
package requestid

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"
)

// Header carries the id in requests and answers.
const Header = "X-Request-Id"

// sane is what an id from outside may look like: it ends up in logs.
var sane = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)

type key struct{}

// With returns a context that carries the id.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// From returns the id the context carries, or "".
func From(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string) // "" is right for a context without one
	return id
}

// Middleware takes the id of the request, or makes one when there is none or
// an odd one, and puts it into the context and the answer.
func Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(Header)
		if !sane.MatchString(id) {
			id = uuid.NewString()
		}
		w.Header().Set(Header, id)
		next.ServeHTTP(w, r.WithContext(With(r.Context(), id)))
	})
}

// LogHandler adds the request id and the trace of the context to every record.
func LogHandler(h slog.Handler) slog.Handler { return handler{h} }

type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if id := From(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name)}
}
