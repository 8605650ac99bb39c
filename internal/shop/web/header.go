package web

import (
	"context"
	"math"
	"net/http"
	"time"
)

type headerKey struct{}

// SetHeader sets a header of the answer to the request, be it well or a refusal.
func SetHeader(ctx context.Context, name, value string) {
	if header, ok := ctx.Value(headerKey{}).(http.Header); ok {
		header.Set(name, value)
	}
}

// Seconds rounds up, as headers that say when to try again do: whole seconds, at
// least one.
func Seconds(d time.Duration) int { return int(max(1, math.Ceil(d.Seconds()))) }

// header lets SetHeader reach the header of the answer.
func header(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), headerKey{}, w.Header())))
	})
}
