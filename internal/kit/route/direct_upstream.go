package route

import (
	"bufio"
	"context"
	"net"
	"time"
)

// idleUpstream is how long a connection to a program may be idle and be used again: a
// request on one that the other side is closing would be lost.
const idleUpstream = 2 * time.Second

// upstream is a connection to an endpoint.
type upstream struct {
	*net.TCPConn
	endpoint  *Endpoint
	in        *bufio.Reader
	line      []byte // what was read of a head
	used      int    // requests
	idleSince time.Time
	release   func() bool // lets go of the endpoint
}

// connect returns a connection to an endpoint.
func (d *direct) connect(ctx context.Context, e *Endpoint) (*upstream, error) {
	if to := d.to[e]; to != nil {
		if to.isFresh() {
			to.used++
			return to, nil
		}
		d.drop(to)
	}
	for other, to := range d.to {
		if other.cut.Err() != nil {
			d.drop(to)
		}
	}
	connection, err := e.dial(ctx)
	if err != nil {
		return nil, err
	}
	to := &upstream{TCPConn: connection, endpoint: e, in: bufio.NewReaderSize(connection, directBuffer), used: 1}
	to.release = context.AfterFunc(e.cut, func() { connection.Close() })
	d.to[e] = to
	return to, nil
}

func (d *direct) drop(to *upstream) {
	to.release()
	to.Close()
	delete(d.to, to.endpoint)
}

func (d *direct) dropAll() {
	for _, to := range d.to {
		d.drop(to)
	}
}

// isFresh reports whether an idle connection may be used again: the other side has said
// nothing since, not even that it closes.
func (u *upstream) isFresh() bool {
	return time.Since(u.idleSince) < idleUpstream && u.in.Buffered() == 0 && !u.hasNews()
}
