package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// Attach makes a server note what happens on its connections: when they began, and whether
// a request is carried out on them, which is when it has arrived as a whole and its answer
// is not finished. A server behind [NewListener] must have this.
func Attach(server *http.Server) {
	server.ConnContext, server.ConnState, server.Handler = connContext, connState, receive(server.Handler)
}

type (
	bornKey struct{}
	connKey struct{}
)

func connContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(context.WithValue(ctx, bornKey{}, time.Now()), connKey{}, c)
}

// connState is called when a header has been read, and when an answer is finished.
func connState(c net.Conn, state http.ConnState) {
	switch c, ok := c.(*conn); {
	case !ok:
	case state == http.StateActive:
		c.header.ended = true
		c.all.setBusy(c, true)
	case state == http.StateIdle:
		c.header = headerLines{}
		c.all.setBusy(c, false)
	}
}

// receive notes that the connection waits while the body of its request arrives. A trusted
// proxy sends bodies quickly, and loses no request of its clients.
func receive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok && !c.client.isProxy && r.ContentLength != 0 {
			c.all.setBusy(c, false)
			// net/http looks into the body of its own request after the answer, and would
			// wait for all of a body that it does not know.
			r = r.WithContext(r.Context())
			r.Body = &arriving{r.Body, c}
		}
		next.ServeHTTP(w, r)
	})
}

// arriving is a body of which a part may still have to arrive.
type arriving struct {
	io.ReadCloser
	conn *conn
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err == io.EOF {
		a.conn.all.setBusy(a.conn, true)
	}
	return n, err
}
