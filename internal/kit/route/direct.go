package route

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// directBuffer is how much of a request may arrive at once, in bytes, to be passed on
// directly.
const directBuffer = 4 << 10

// direct passes on the requests of an HTTP/1 connection, one after the other, as the
// bytes that they are. Net/http's server and client, between whose goroutines a request
// goes from hand to hand, take several times as long. What is more than a request that
// has arrived as a whole it leaves, with the rest of the connection, to web.
type direct struct {
	pool    *Pool
	client  *net.TCPConn
	in      *bufio.Reader
	out     *bufio.Writer
	to      map[*Endpoint]*upstream
	closing context.Context // ends when no further request is to be taken
}

// serveDirect returns when the connection has ended, or is web's.
func (p *Pool) serveDirect(ctx, closing context.Context, client *net.TCPConn, beginning []byte, web *queue) {
	d := &direct{
		pool: p, client: client, closing: closing,
		in: bufio.NewReaderSize(&begun{client, beginning}, directBuffer), out: bufio.NewWriterSize(client, directBuffer),
		to: map[*Endpoint]*upstream{},
	}
	defer context.AfterFunc(ctx, func() { client.Close() })()
	defer d.dropAll()
	for {
		request, err := d.next()
		if err == nil {
			err = d.exchange(ctx, request)
		}
		if errors.Is(err, errNotDirect) {
			rest, _ := d.in.Peek(d.in.Buffered())
			web.put(&begun{client, rest})
			return
		}
		if err != nil {
			client.Close()
			return
		}
	}
}

// errNotDirect is for what is left to net/http. Nothing of it has been sent.
var errNotDirect = errors.New("not to be passed on directly")

// next waits for a request.
func (d *direct) next() (directRequest, error) {
	stop := context.AfterFunc(d.closing, func() { d.client.SetReadDeadline(time.Now()) })
	defer stop()
	if _, err := d.in.Peek(1); err != nil {
		return directRequest{}, err
	}
	if d.closing.Err() != nil {
		return directRequest{}, net.ErrClosed
	}
	arrived, err := d.in.Peek(d.in.Buffered())
	if err != nil {
		return directRequest{}, err
	}
	request, ok := parseRequest(arrived)
	if !ok {
		return request, errNotDirect
	}
	return request, nil
}

// exchange sends a request to an endpoint and its answer to the client. An error ends
// the connection.
func (d *direct) exchange(ctx context.Context, request directRequest) error {
	var to *upstream
	endpoint, err := d.pool.reach(ctx, func(e *Endpoint) (err error) {
		if to, err = d.connect(ctx, e); err != nil {
			return err
		}
		if _, err = to.Write(request.bytes); err != nil {
			d.drop(to)
			err = errNotDirect // None of it has arrived: the other side has closed.
		}
		return err
	})
	if endpoint != nil {
		defer endpoint.release()
	}
	switch {
	case errors.Is(err, errNotDirect):
		return err
	case errors.Is(err, errNotReady):
		return d.fail(request, "503 Service Unavailable\r\nRetry-After: 1", d.pool.explanation())
	case err != nil:
		return d.fail(request, "502 Bad Gateway", d.pool.doesNotAnswer(err))
	}
	head, err := d.receive(request, to)
	if err != nil || head.closes {
		d.drop(to)
	}
	if head.bytes == nil && err != nil {
		if to.used > 1 && request.replayable {
			return errNotDirect // The program may have closed the connection when it was idle.
		}
		return d.fail(request, "502 Bad Gateway", d.pool.doesNotAnswer(err))
	}
	d.in.Discard(len(request.bytes))
	if err == nil && head.closes {
		err = io.EOF
	}
	to.idleSince = time.Now()
	return err
}

// receive passes an answer on as it comes. If there is none, its head has no bytes.
func (d *direct) receive(request directRequest, to *upstream) (directResponse, error) {
	defer d.watch(len(request.bytes), to)()
	head, err := to.head(request)
	if err != nil {
		return directResponse{}, err
	}
	d.out.Write(head.bytes)
	err = to.body(d.out, head)
	return head, errors.Join(err, d.out.Flush())
}

// fail answers a request of which nothing can come.
func (d *direct) fail(request directRequest, status, text string) error {
	d.in.Discard(len(request.bytes))
	text += "\n"
	fmt.Fprintf(d.out, "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n\r\n", status, len(text))
	if !request.isHead {
		d.out.WriteString(text)
	}
	return d.out.Flush()
}

// slowAfter is how long an answer takes at least for which it is looked whether the
// client is still there.
const slowAfter = 20 * time.Millisecond

// watch cuts the connection to the endpoint if the client goes before its answer has
// come, so that the program knows. The function that it returns ends that.
func (d *direct) watch(request int, to *upstream) (stop func()) {
	watched := make(chan struct{})
	timer := time.AfterFunc(slowAfter, func() {
		defer close(watched)
		_, err := d.in.Peek(request + 1)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, bufio.ErrBufferFull) {
			to.Close()
		}
	})
	return func() {
		if timer.Stop() {
			return
		}
		d.client.SetReadDeadline(time.Now())
		<-watched
		d.client.SetReadDeadline(time.Time{})
	}
}
