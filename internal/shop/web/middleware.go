package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/koshop/koshop/internal/shop/telemetry"
)

// outcome is what the access log learns from below.
type outcome struct{ err error }

type outcomeKey struct{}

// note hands the cause of a failed request to the access log, which writes it
// next to the request's id. The client never sees it.
func note(ctx context.Context, err error) {
	if o, ok := ctx.Value(outcomeKey{}).(*outcome); ok {
		o.err = err
	}
}

// accessLog writes one line per request. It logs no body, header or query:
// tokens and e-mail addresses travel there.
func accessLog(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			o, answer, start := &outcome{}, &telemetry.Answer{ResponseWriter: w}, time.Now()
			ctx := context.WithValue(r.Context(), outcomeKey{}, o)
			next.ServeHTTP(answer, r.WithContext(ctx))

			status := answer.Status
			if status == 0 { // nothing was written: net/http sends 200
				status = http.StatusOK
			}
			attrs := []slog.Attr{
				slog.String("method", r.Method), slog.String("path", clip(r.URL.Path)), slog.Int("status", status),
				slog.Int("bytes", answer.Bytes), slog.Duration("took", time.Since(start)),
			}
			if o.err != nil {
				attrs = append(attrs, slog.String("error", o.err.Error()))
			}
			log.LogAttrs(ctx, levelOf(r.URL.Path, status), "request", attrs...)
		})
	}
}

func levelOf(path string, status int) slog.Level {
	switch {
	case isProbe(path) && status >= http.StatusInternalServerError: // not ready yet, or no more
		return slog.LevelWarn
	case isProbe(path): // a kubelet asks every few seconds
		return slog.LevelDebug
	case status >= http.StatusInternalServerError:
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// recoverPanic turns a panic into a 500 and leaves its stack to the log.
func recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // net/http's own way to drop a connection
			default:
				note(r.Context(), fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
				writeError(w, r, http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// wellFormed refuses paths and queries that are no text: PostgreSQL stores and
// compares neither NUL nor what is not UTF-8. An empty segment of a path names
// nothing.
func wellFormed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isText(r.URL.Path) || strings.Contains(r.URL.EscapedPath(), "//") {
			notFound(w, r)
			return
		}
		for name, values := range r.URL.Query() {
			if !isText(name) || slices.ContainsFunc(values, func(v string) bool { return !isText(v) }) {
				writeError(w, r, http.StatusUnprocessableEntity, clip(name)+": must be UTF-8 text without U+0000")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// mediaType makes the name of the body's format one that huma compares: names are the
// same in capitals (https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1).
func mediaType(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if given := r.Header.Get("Content-Type"); given != "" {
			name, parameters, _ := strings.Cut(given, ";")
			r.Header.Set("Content-Type", strings.ToLower(strings.TrimSpace(name))+";"+parameters)
		}
		next.ServeHTTP(w, r)
	})
}

// limitBody refuses a body that is announced to be too long, also where no
// operation would read it.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > MaxBody {
			writeError(w, r, http.StatusRequestEntityTooLarge, bodyTooLarge(MaxBody))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func notFound(w http.ResponseWriter, r *http.Request) {
	writeError(w, r, http.StatusNotFound, "Not Found")
}

// methodNotAllowed lists the methods of the path in Allow; chi does so only in
// its own handler, which has no body.
func methodNotAllowed(routes chi.Routes) http.HandlerFunc {
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, m := range methods {
			if routes.Match(chi.NewRouteContext(), m, r.URL.Path) {
				allowed = append(allowed, m)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeError(w, r, http.StatusMethodNotAllowed, "Method Not Allowed")
	}
}
