package route

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
)

// ServeHTTP sends a request to one of the endpoints.
func (p *Pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{pool: p, http2: r.ProtoMajor == 2}
	defer x.end()
	// Else the server closes the body of an HTTP/1 request when the answer
	// begins, and the transport, which may still be looking for the body's end,
	// takes that for a failure and cuts the answer.
	http.NewResponseController(w).EnableFullDuplex()
	proxy := httputil.ReverseProxy{
		Rewrite:       passOn,
		Transport:     x,
		FlushInterval: -1, // at once
		ErrorHandler:  x.fail,
		ErrorLog:      log.New(io.Discard, "", 0), // Clients see the errors.
	}
	proxy.ServeHTTP(w, r)
}

// passOn leaves a request as it is: a Service changes nothing in it.
func passOn(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme = "http"
	r.Out.URL.Host = "endpoint" // Not seen by anyone: Host has been copied.
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = values
		}
	}
	r.Out.Trailer = r.In.Trailer // Filled in when the body has been read.
	if r.Out.Body != nil {
		r.Out.Body = io.NopCloser(r.Out.Body) // It must survive a failed dial.
	}
}

// exchange is one request on its way, and its response.
type exchange struct {
	pool     *Pool
	http2    bool
	endpoint *Endpoint // claimed; nil before
}

// RoundTrip sends the request to the first endpoint that can be reached.
func (x *exchange) RoundTrip(r *http.Request) (response *http.Response, err error) {
	x.endpoint, err = x.pool.reach(r.Context(), func(e *Endpoint) (err error) {
		transport := e.http1
		if x.http2 {
			transport = e.http2
		}
		response, err = transport.RoundTrip(r)
		return err
	})
	return response, err
}

func (x *exchange) end() {
	if x.endpoint != nil {
		x.endpoint.release()
	}
}

// fail answers a request that got no response.
func (x *exchange) fail(w http.ResponseWriter, _ *http.Request, err error) {
	if errors.Is(err, errNotReady) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, x.pool.explanation(), http.StatusServiceUnavailable)
		return
	}
	http.Error(w, x.pool.doesNotAnswer(err), http.StatusBadGateway)
}
