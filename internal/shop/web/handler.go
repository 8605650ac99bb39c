// Package web is the HTTP side that all services share: router, validation,
// OpenAPI, error answers, a page of documentation, health and the access log.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/koshop/koshop/internal/shop/baggage"
	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/telemetry"
)

const (
	// MaxBody is the size in bytes of the largest request body that any operation reads.
	MaxBody = 16 << 10
	// maxBody is the largest size for operations without [LargeBody].
	maxBody = 2 << 10
)

// bodyTooLarge returns the detail of the answer to a body that exceeds the limit.
func bodyTooLarge(limit int64) string {
	return fmt.Sprintf("The request body is larger than %d KiB", limit>>10)
}

// Options describe the service that a handler serves.
type Options struct {
	Name     string             // the workload, as in orders-svc
	About    string             // one sentence for the documentation
	Greeting string             // what GET /healthz says
	Timeout  time.Duration      // how long a request may take
	Register func(api huma.API) // adds the service's operations
	Started  func() bool        // operations answer 503 until it is true
	Stopping func() bool        // answers end their connection once it is true
	Ready    func(ctx context.Context) error
	Proxies  []netip.Prefix // networks of proxies whose X-Forwarded-For is believed
	Log      *slog.Logger
	// Telemetry is the service's.
	Telemetry *telemetry.Telemetry
}

// NewHandler returns the service's handler.
func NewHandler(o Options) http.Handler {
	mux := chi.NewMux()
	mux.Use(o.Telemetry.Middleware(isProbe), header, client(o.Proxies), requestid.Middleware, baggage.Middleware, accessLog(o.Log), recoverPanic, deadline(o.Timeout), gate(o.Started), leave(o.Stopping), wellFormed, mediaType, limitBody)
	mux.NotFound(notFound)
	mux.MethodNotAllowed(methodNotAllowed(mux))

	api := humachi.New(mux, apiConfig(o))
	registerHealth(api, o)
	o.Register(api)
	mux.Get("/docs", docsPage(api.OpenAPI()))
	return mux
}

func apiConfig(o Options) huma.Config {
	cfg := huma.DefaultConfig(o.Name, "1.0.0")
	cfg.Info.Description = o.About
	// The page huma would serve loads its scripts from elsewhere; a class has a
	// bad uplink. docsPage needs nothing.
	cfg.DocsPath = ""
	// Answers have exactly the members of the contract: no $schema links.
	cfg.SchemasPath, cfg.CreateHooks = "", nil
	cfg.Formats = formats()
	// Saved requests may send more than the contract asks for.
	cfg.AllowAdditionalPropertiesByDefault = true
	return cfg
}

// Operation fills in what every operation has in common.
func Operation(id, method, path, summary string, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Errors: errors,
		// huma refuses a body of exactly its limit; ours may be that long.
		MaxBodyBytes: maxBody + 1,
	}
}

// LargeBody lets an operation have a body of up to [MaxBody]: a list, or long texts with
// room for escapes.
func LargeBody(op huma.Operation) huma.Operation {
	op.MaxBodyBytes = MaxBody + 1
	return op
}

// deadline bounds the time that a request may take by its context.
func deadline(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// gate answers 503 for everything but health while the service starts: its
// database may come up after it.
func gate(started func() bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !started() && !isProbe(r.URL.Path) {
				writeError(w, r, http.StatusServiceUnavailable, "The service is starting")
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// leave makes clients open a new connection, to another replica, once this replica is
// about to stop or the connection is old. Closing the connection without notice could lose
// the client's next request.
func leave(stopping func() bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if stopping() || isOld(r) {
				w.Header().Set("Connection", "close")
			}
			next.ServeHTTP(w, r)
		})
	}
}
