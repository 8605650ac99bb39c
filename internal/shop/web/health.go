package web

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/fault"
)

// readyTimeout bounds the check behind /readyz; a kubelet gives a probe 1 s by
// default.
const readyTimeout = 900 * time.Millisecond

type message struct {
	Message string `json:"message"`
}

type messageOutput struct{ Body message }

// greetingOutput also says which pod or which developer's machine answers: an
// intercept leads the requests of a Service to either.
type greetingOutput struct {
	ServedBy string `header:"X-Served-By" doc:"The host name of the pod or machine that answers"`
	Body     message
}

func say(text string) *messageOutput { return &messageOutput{Body: message{text}} }

func isProbe(path string) bool {
	return path == "/healthz" || path == "/livez" || path == "/readyz"
}

func registerHealth(api huma.API, o Options) {
	healthz := Operation("healthz", http.MethodGet, "/healthz", "Say hello")
	healthz.DefaultStatus = http.StatusCreated // the workshop's status
	host, _ := os.Hostname()                   // Without a name, the header is left out.
	huma.Register(api, healthz, func(context.Context, *struct{}) (*greetingOutput, error) {
		return &greetingOutput{ServedBy: host, Body: message{o.Greeting}}, nil
	})
	huma.Register(api, Operation("livez", http.MethodGet, "/livez", "Tell whether the process works"),
		func(context.Context, *struct{}) (*messageOutput, error) { return say("live"), nil })
	huma.Register(api, Operation("readyz", http.MethodGet, "/readyz", "Tell whether requests can be served", http.StatusServiceUnavailable),
		func(ctx context.Context, _ *struct{}) (*messageOutput, error) {
			ctx, cancel := context.WithTimeout(ctx, readyTimeout)
			defer cancel()
			err := o.Ready(ctx)
			if err != nil && !fault.Is(err, fault.Unavailable) { // which says what is wrong
				err = fault.Wrap(err, fault.Unavailable, "The service is not ready")
			}
			if err != nil {
				return nil, err
			}
			return say("ready"), nil
		})
}
