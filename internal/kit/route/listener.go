package route

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Listener is a port on which requests or connections arrive.
type Listener struct {
	addr  net.Addr
	close func(context.Context)
}

// Addr returns the address it listens on.
func (l *Listener) Addr() string { return l.addr.String() }

// Close takes nothing new, lets what is in flight finish until ctx ends, then
// cuts it.
func (l *Listener) Close(ctx context.Context) { l.close(ctx) }

// ListenHTTP serves a pool on an address of this machine, in HTTP/1.1 and
// unencrypted HTTP/2. The error is a [BusyError] if the port is taken.
func ListenHTTP(address string, pool *Pool) (*Listener, error) {
	listener, err := listen(address)
	if err != nil {
		return nil, err
	}
	return serveHTTP(pool, listener), nil
}

// maxStreams bounds the streams of one HTTP/2 connection: a program may bound them
// itself, and gRPC's servers do not.
const maxStreams = 1 << 16

// serveHTTP serves requests that arrive on any of the listeners, for as long as
// they take: they may be streams.
func serveHTTP(handler http.Handler, listeners ...net.Listener) *Listener {
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(io.Discard, "", 0), // Clients see the errors.
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    1 << 20,
		Protocols:         &http.Protocols{},
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	var serving sync.WaitGroup
	for _, listener := range listeners {
		serving.Go(func() { server.Serve(listener) })
	}
	shutdown := func(until context.Context) {
		server.Shutdown(until)
		cancel() // Connections that were upgraded are the server's no longer.
		server.Close()
		serving.Wait()
	}
	return &Listener{addr: listeners[0].Addr(), close: shutdown}
}
