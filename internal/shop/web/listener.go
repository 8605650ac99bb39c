package web

import (
	"bytes"
	"container/list"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// MaxConnections is how many connections a service serves at once. One that is idle takes
// about 10 KiB.
const MaxConnections = 2000

// NewListener returns a listener that lets an [http.Server] serve at most maxConnections
// at once, shares them among the clients, and answers 503 on the others. A client loses no
// connection on which a request is carried out before the request's timeout, and a proxy in
// one of the networks none at all. The server must have been given to [Attach].
//
// Some requests are refused by net/http itself before a handler gets them, such as
// malformed ones. The listener replaces these answers by ones in JSON, like all others.
func NewListener(l net.Listener, maxConnections int, timeout time.Duration, proxies []netip.Prefix) net.Listener {
	return &listener{Listener: l, served: newConnections(maxConnections, timeout, proxies), refused: make(chan struct{}, maxRefused)}
}

type listener struct {
	net.Listener
	served  *connections
	refused chan struct{} // has a place for each connection that is being refused

	mu       sync.Mutex // guards isClosed; no refusal begins once that is true
	isClosed bool
	refusals sync.WaitGroup
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := accepted.(*net.TCPConn)
		if served := l.served.admit(c); served != nil {
			return served, nil
		}
		l.refuse(c)
	}
}

// refuse answers a connection that is one too many, unless many others are being answered
// or the listener is closed.
func (l *listener) refuse(c *net.TCPConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed {
		c.Close()
		return
	}
	select {
	case l.refused <- struct{}{}:
		l.refusals.Go(func() {
			defer func() { <-l.refused }()
			refuse(c, http.StatusServiceUnavailable, "There are too many connections, try again", "Retry-After: 1\r\n")
		})
	default:
		c.Close()
	}
}

// Close waits for the connections that are being refused.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	l.isClosed = true
	l.mu.Unlock()
	l.refusals.Wait()
	return err
}

const (
	// maxRefused is how many connections are refused with an answer at the same time.
	maxRefused = 100
	// refuseWithin is the longest time that a refusal takes.
	refuseWithin = time.Second
	// maxEarly is how many bytes are kept for later at most.
	maxEarly = 4 << 10
	// maxDiscarded is how many bytes of a refused request are read at most.
	maxDiscarded = 256 << 10
)

// refuse tells a client why its connection ends, with more header lines. The client may
// still be sending its request, and loses the answer if that is not read.
func refuse(c *net.TCPConn, status int, detail, header string) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(refuseWithin))
	if _, err := c.Write(answerOf(status, detail, header)); err == nil {
		c.CloseWrite()
		io.Copy(io.Discard, io.LimitReader(c, maxDiscarded))
	}
}

// conn replaces a refusal of net/http, which is written in one piece, and refuses a request
// with too many headers.
type conn struct {
	*net.TCPConn
	all    *connections
	client *holder
	header headerLines // of the request that is being read
	early  []byte      // has arrived, and is read next

	// all.mu guards these.
	isBusy bool
	since  time.Time     // when it became busy or idle
	place  *list.Element // in one of the client's lists; nil when the connection has lost its place
}

// Close gives the place of the connection to another one.
func (c *conn) Close() error {
	err := c.TCPConn.Close()
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.remove(c)
	return err
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.readNext(p)
	if c.header.tooMany() {
		refuse(c.TCPConn, http.StatusRequestHeaderFieldsTooLarge, tooManyHeaders, "")
		return 0, io.EOF
	}
	return n, err
}

// readNext reads no more than may be read at once, and keeps the rest.
func (c *conn) readNext(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early[:c.header.next(c.early[:min(len(p), len(c.early))])])
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil // An idle connection takes no memory for it.
		}
		return n, nil
	}
	arrived, err := c.TCPConn.Read(p[:min(len(p), maxEarly)])
	n := c.header.next(p[:arrived])
	if n < arrived {
		c.early = bytes.Clone(p[n:arrived])
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	refused := refusal(p)
	if refused == nil {
		return c.TCPConn.Write(p)
	}
	if _, err := c.TCPConn.Write(refused); err != nil {
		return 0, err
	}
	return len(p), nil
}

const (
	statusLine = "HTTP/1.1 "
	// plain follows the status line in an answer of net/http itself. The answer of a handler
	// has a Date here.
	plain = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	// unexpected begins net/http's answer to an unknown header Expect.
	unexpected = statusLine + "417 Expectation Failed\r\n"
)

// refusal returns the answer to write instead of p, or nil if p is no refusal of net/http.
func refusal(p []byte) []byte {
	if !bytes.HasPrefix(p, []byte(statusLine)) {
		return nil
	}
	line, _, _ := bytes.Cut(p, []byte("\r\n"))
	if !bytes.HasPrefix(p[len(line):], []byte(plain)) && !bytes.HasPrefix(p, []byte(unexpected)) {
		return nil
	}
	var status int
	if _, err := fmt.Sscanf(string(line), statusLine+"%d", &status); err != nil {
		return nil
	}
	_, detail, _ := strings.Cut(string(line[len(statusLine):]), " ")
	return answerOf(status, detail, "")
}

// answerOf returns an answer that ends its connection, with more header lines.
func answerOf(status int, detail, header string) []byte {
	body, err := json.Marshal(newProblem(status, detail))
	if err != nil {
		return nil // Never: it has nothing but texts and a number.
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(body), header, body)
}
