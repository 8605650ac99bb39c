// Package route leads connections to local processes the way a Service leads
// them to pods, and loses none when one process takes over from another.
package route

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// dialer connects to processes on this machine.
var dialer = net.Dialer{Timeout: 5 * time.Second}

// Endpoint is the port of one process. It may be in several pools.
type Endpoint struct {
	address string
	http1   *http.Transport
	http2   *http.Transport
	// cut ends when nothing may be left of the endpoint's connections.
	cut      context.Context
	cutNow   context.CancelFunc
	retiring chan struct{} // closed when it is retired
	finished chan struct{} // closed when it is retired and no longer in use

	mu      sync.Mutex
	retired bool
	uses    int
}

// NewEndpoint returns the endpoint at an address such as 127.0.0.1:40123.
// Retire must be called.
func NewEndpoint(address string) *Endpoint {
	e := &Endpoint{address: address, retiring: make(chan struct{}), finished: make(chan struct{})}
	e.cut, e.cutNow = context.WithCancel(context.Background())
	e.http1 = e.transport((*http.Protocols).SetHTTP1)
	e.http2 = e.transport((*http.Protocols).SetUnencryptedHTTP2)
	return e
}

// transport returns one that speaks only one protocol, whatever address the
// request has. Its connections are idle for less than any program lets them be:
// a request on one that the other side is closing would be lost.
func (e *Endpoint) transport(enable func(*http.Protocols, bool)) *http.Transport {
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", e.address)
		},
		DisableCompression:    true,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       2 * time.Second,
		ExpectContinueTimeout: time.Second,
		Protocols:             &http.Protocols{},
	}
	enable(t.Protocols, true)
	return t
}

// dial connects to the process.
func (e *Endpoint) dial(ctx context.Context) (*net.TCPConn, error) {
	connection, err := dialer.DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	return connection.(*net.TCPConn), nil
}

// Finish lets the endpoint take nothing new, and returns when what is in flight is
// done or ctx ends. What is left then goes on.
func (e *Endpoint) Finish(ctx context.Context) {
	e.mu.Lock()
	if !e.retired {
		e.retired = true
		close(e.retiring)
		e.finishIfUnused()
	}
	e.mu.Unlock()
	select {
	case <-e.finished:
	case <-ctx.Done():
	}
}

// Retire is [Endpoint.Finish], after which the process may be stopped: idle
// connections are closed, and TCP connections are cut.
func (e *Endpoint) Retire(ctx context.Context) {
	e.Finish(ctx)
	e.cutNow()
	e.http1.CloseIdleConnections()
	e.http2.CloseIdleConnections()
}

// claim counts one more use, unless the endpoint is retired.
func (e *Endpoint) claim() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.retired {
		e.uses++
	}
	return !e.retired
}

// release ends a use.
func (e *Endpoint) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.uses--
	e.finishIfUnused()
}

// finishIfUnused is called with the lock held, and finds the endpoint retired
// and unused only once: there are no claims after that.
func (e *Endpoint) finishIfUnused() {
	if e.retired && e.uses == 0 {
		close(e.finished)
	}
}
