package web

import (
	"context"
	"math"
	"net/http"
	"time"
)

type headerKey struct{}

// SetHeader sets a header of the answer to the request, also if that is an error.
func SetHeader(ctx context.Context, name, value string) {
	if header, ok := ctx.Value(headerKey{}).(http.Header); ok {
		header.Set(name, value)
	}
}

// Seconds returns whole seconds for a header such as Retry-After, rounded up and at least 1.
func Seconds(d time.Duration) int { return int(max(1, math.Ceil(d.Seconds()))) }

// header lets SetHeader reach the header of the answer.
func header(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), headerKey{}, w.Header())))
	})
}
