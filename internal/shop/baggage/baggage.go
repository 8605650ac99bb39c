// Package baggage passes on what a request carries about itself from service to
// service, as W3C Baggage says (https://www.w3.org/TR/baggage/). The services do
// not read it. It lets those in between, such as a personal intercept of
// Telepresence, know a request again that a service behind the first one gets.
package baggage

import (
	"context"
	"net/http"
	"strings"
)

// Header carries the baggage.
const Header = "Baggage"

// maxLength is how much has to be passed on, in bytes; more is left behind
// (section 3.3.2, Limits).
const maxLength = 8192

type key struct{}

// With returns a context that carries the baggage.
func With(ctx context.Context, baggage string) context.Context {
	return context.WithValue(ctx, key{}, baggage)
}

// From returns the baggage that the context carries, or "".
func From(ctx context.Context) string {
	baggage, _ := ctx.Value(key{}).(string) // "" is right for a context without
	return baggage
}

// Middleware puts the baggage of the request into the context.
func Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		baggage := strings.Join(r.Header.Values(Header), ",")
		if baggage != "" && len(baggage) <= maxLength {
			r = r.WithContext(With(r.Context(), baggage))
		}
		next.ServeHTTP(w, r)
	})
}
