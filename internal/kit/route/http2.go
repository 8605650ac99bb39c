package route

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// pingWithin is how long a client may take to answer a ping.
	pingWithin = 10 * time.Second
	// lateStreams is how long a stream may take to arrive that a client has begun before it
	// read that it is to begin no more.
	lateStreams = 100 * time.Millisecond
	// lastWords is how long a client may take to close a connection on which nothing
	// goes on any more.
	lastWords = time.Second
)

// http2Relay passes an HTTP/2 connection on, frame by frame as they are: a server and a
// client of net/http in between take three times as long as the program. When the program
// is replaced it tells the client to make another connection, and lets the streams that
// there are end (https://www.rfc-editor.org/rfc/rfc9113#section-6.8).
type http2Relay struct {
	client, server *net.TCPConn
	streams        *streams
	toClient       sync.Mutex    // held from the first frame of a header block to its last
	begun          chan struct{} // closed when the program has said something: that is first
}

// serveHTTP2 returns when the connection has ended, or is web's: that balances requests
// between endpoints, and says what is wrong if there are none.
func (p *Pool) serveHTTP2(ctx, closing context.Context, client *net.TCPConn, beginning []byte, web *queue) {
	endpoint, server := p.reachOnly(ctx)
	if endpoint == nil {
		web.put(&begun{client, beginning})
		return
	}
	r := &http2Relay{client: client, server: server, streams: newStreams(), begun: make(chan struct{})}
	release := sync.OnceFunc(endpoint.release)
	defer release()
	cut := func() {
		client.Close()
		r.server.Close()
	}
	defer cut()
	defer context.AfterFunc(ctx, cut)()
	defer context.AfterFunc(endpoint.cut, cut)()

	running, end := context.WithCancel(ctx)
	linger := func() {
		client.CloseWrite()
		select {
		case <-time.After(lastWords):
			cut()
		case <-running.Done():
		}
	}
	var goroutines sync.WaitGroup
	defer goroutines.Wait()
	defer end()
	goroutines.Go(func() {
		if p.untilReplaced(running, closing, endpoint) && r.drain(running) {
			release()
			linger()
		}
	})
	goroutines.Go(func() {
		r.fromServer()
		linger()
	})
	r.fromClient(beginning)
	// The client is gone, or says no more: the program is told, and does not leave it at that.
	r.server.CloseWrite()
	r.server.SetReadDeadline(time.Now().Add(pingWithin))
}

// reachOnly claims the endpoint of a pool that has just one, and connects to it. It
// returns nil if there are others or none, or if that one cannot be reached.
func (p *Pool) reachOnly(ctx context.Context) (*Endpoint, *net.TCPConn) {
	only := p.only()
	if only == nil {
		return nil, nil
	}
	server, err := only.dial(ctx)
	if err != nil {
		only.release()
		return nil, nil
	}
	return only, server
}

// only claims that endpoint.
func (p *Pool) only() *Endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.endpoints) != 1 || !p.endpoints[0].claim() {
		return nil
	}
	return p.endpoints[0]
}

// untilReplaced returns true when the pool leads to other endpoints than one, or nothing
// new is taken, and false when the connection has ended before.
func (p *Pool) untilReplaced(running, closing context.Context, one *Endpoint) bool {
	for {
		p.mu.Lock()
		is, replaced := len(p.endpoints) == 1 && p.endpoints[0] == one, p.replaced
		p.mu.Unlock()
		if !is {
			return true
		}
		select {
		case <-replaced:
		case <-one.retiring:
			return true
		case <-closing.Done():
			return true
		case <-running.Done():
			return false
		}
	}
}

// fromClient passes on what the client says until it ends, but for its answer to our
// ping.
func (r *http2Relay) fromClient(beginning []byte) {
	in, out := bufio.NewReaderSize(&begun{r.client, beginning}, directBuffer), bufio.NewWriterSize(r.server, directBuffer)
	err := passOnBytes(out, in, len(preface))
	for err == nil {
		if in.Buffered() < frameHeader {
			out.Flush() // It keeps its error.
		}
		var f frame
		if f, err = readFrame(in); err != nil {
			return
		}
		if f.kind == framePing && f.has(flagAck) && startsWith(in, ourPing) {
			in.Discard(len(ourPing))
			r.streams.pinged()
			continue
		}
		r.streams.fromClient(f) // Before the program can answer.
		err = f.pass(out, in)
	}
	// The program takes no more, and may have answered nevertheless.
	io.Copy(io.Discard, in)
}

// fromServer passes on what the program says until it ends.
func (r *http2Relay) fromServer() {
	in, out := bufio.NewReaderSize(r.server, directBuffer), bufio.NewWriterSize(r.client, directBuffer)
	var block frame // the first of the header block that has not ended; no other frame may be in it
	begin := sync.OnceFunc(func() { close(r.begun) })
	for held := false; ; {
		f, err := readFrame(in)
		if !held {
			r.toClient.Lock()
			held = true
		}
		if err == nil {
			if f.kind == frameGoAway {
				r.streams.goneAway(in)
			}
			err = f.pass(out, in)
		}
		switch {
		case f.kind == frameHeaders || f.kind == framePushPromise:
			block = f
		case f.kind != frameContinuation:
			block = frame{}
		}
		ended := err != nil || block.kind == 0 || f.has(flagEndHeaders)
		if ended && (err != nil || in.Buffered() < frameHeader || f.length >= directBuffer) {
			err = errors.Join(err, out.Flush())
			r.toClient.Unlock()
			held = false
			begin()
		}
		if err != nil {
			return
		}
		switch {
		case !ended:
		case block.kind != 0:
			r.streams.fromServer(block)
		default:
			r.streams.fromServer(f)
		}
	}
}

// drain tells the client to make another connection, and returns true when the streams
// of this one have ended, and false when the connection has before.
func (r *http2Relay) drain(running context.Context) bool {
	select {
	case <-r.begun:
	case <-running.Done():
		return false
	}
	r.toClient.Lock()
	_, err := r.client.Write(goodbye)
	r.toClient.Unlock()
	if err != nil {
		return false
	}
	// After its answer the client begins no stream here, but for one that it had begun
	// before it read what we said: net/http's client sends those a little later.
	bounded, cancel := context.WithTimeout(running, pingWithin)
	defer cancel()
	r.streams.untilPinged(bounded)
	for before := r.streams.begun(); r.streams.untilNone(running); before = r.streams.begun() {
		select {
		case <-running.Done():
			return false
		case <-time.After(lateStreams):
		}
		if r.streams.begun() == before {
			return true
		}
	}
	return false
}
