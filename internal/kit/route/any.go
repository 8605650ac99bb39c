package route

import (
	"bytes"
	"context"
	"net"
	"regexp"
	"sync"
	"time"
)

const (
	// speakFirst is how long a client may take to say what it speaks. One that
	// waits for the server to begin does not speak HTTP.
	speakFirst = 250 * time.Millisecond
	// maxMethod bounds in bytes what it takes to tell.
	maxMethod = 64
)

// ListenAny serves a pool on an address of this machine, and tells from the
// first bytes of a connection whether it is HTTP, or another protocol that is
// passed on as it is. The error is a [BusyError] if the port is taken.
func ListenAny(address string, pool *Pool) (*Listener, error) {
	listener, err := listen(address)
	if err != nil {
		return nil, err
	}
	requests := newQueue(listener.Addr())
	web := serveHTTP(pool, requests)
	closing, startClosing := context.WithCancel(context.Background())
	all := serveTCP(listener, func(ctx context.Context, client *net.TCPConn) {
		beginning := begin(ctx, client)
		switch {
		case bytes.HasPrefix(beginning, []byte("PRI ")):
			pool.serveHTTP2(ctx, closing, client, beginning, requests)
		case isHTTP(beginning):
			pool.serveDirect(ctx, closing, client, beginning, requests)
		default:
			pool.relay(ctx, client, beginning)
		}
	})
	shutdown := func(until context.Context) {
		startClosing()
		var both sync.WaitGroup
		both.Go(func() { web.close(until) })
		both.Go(func() { all.close(until) })
		both.Wait()
	}
	return &Listener{addr: listener.Addr(), close: shutdown}, nil
}

// begin reads what a client says first, as far as it takes to tell a protocol, and what
// has come with that.
func begin(ctx context.Context, client *net.TCPConn) []byte {
	defer context.AfterFunc(ctx, func() { client.SetReadDeadline(time.Now()) })()
	client.SetReadDeadline(time.Now().Add(speakFirst))
	defer client.SetReadDeadline(time.Time{})
	buffer, n := make([]byte, directBuffer), 0
	for n < maxMethod {
		more, err := client.Read(buffer[n:])
		n += more
		if err != nil || isHTTP(buffer[:n]) || !mayBeHTTP.Match(buffer[:n]) {
			break // The next read returns an error again.
		}
	}
	return buffer[:n]
}

// A request begins with a method and a target
// (https://www.rfc-editor.org/rfc/rfc9112#section-3); that of HTTP/2 is "PRI *".
var (
	request   = regexp.MustCompile(`^[A-Z]{3,20} (/|\*|[a-z]+://|[\w.-]+:\d)`)
	mayBeHTTP = regexp.MustCompile(`^[A-Z]{0,20}( [\w.:/-]*)?$`)
)

func isHTTP(beginning []byte) bool { return request.Match(beginning) }

// begun is a connection of which the beginning has been read.
type begun struct {
	net.Conn
	beginning []byte
}

func (c *begun) Read(p []byte) (int, error) {
	if len(c.beginning) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.beginning)
	c.beginning = c.beginning[n:]
	return n, nil
}

// queue is a listener that is given its connections.
type queue struct {
	addr        net.Addr
	connections chan net.Conn
	closed      chan struct{}
	close       func()
}

func newQueue(addr net.Addr) *queue {
	q := &queue{addr: addr, connections: make(chan net.Conn), closed: make(chan struct{})}
	q.close = sync.OnceFunc(func() { close(q.closed) })
	return q
}

func (q *queue) put(connection net.Conn) {
	select {
	case q.connections <- connection:
	case <-q.closed:
		connection.Close()
	}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case connection := <-q.connections:
		return connection, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error {
	q.close()
	return nil
}

func (q *queue) Addr() net.Addr { return q.addr }
