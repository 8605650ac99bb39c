package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// MaxConnections is how many connections are served at once. One that is idle takes
// about 10 KiB.
const MaxConnections = 2000

// NewListener returns a listener of at most so many connections; to more it answers 503.
// What net/http refuses by itself is JSON, like all other answers: what is no HTTP, too
// large a header, an expectation that it does not know. It writes that itself, before
// there is a request for a handler.
func NewListener(l net.Listener, most int) net.Listener {
	return &listener{Listener: l, served: make(chan struct{}, most), refused: make(chan struct{}, maxRefused)}
}

type listener struct {
	net.Listener
	served, refused chan struct{} // have a place for each connection
	refusals        sync.WaitGroup
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := accepted.(*net.TCPConn)
		select {
		case l.served <- struct{}{}:
			return &conn{TCPConn: c, release: sync.OnceFunc(func() { <-l.served })}, nil
		default:
			l.refuse(c)
		}
	}
}

// refuse answers a connection that is one too many, unless there are many of those.
func (l *listener) refuse(c *net.TCPConn) {
	select {
	case l.refused <- struct{}{}:
		l.refusals.Go(func() {
			defer func() { <-l.refused }()
			refuse(c)
		})
	default:
		c.Close()
	}
}

// Close waits for the connections that are being refused.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.refusals.Wait()
	return err
}

const (
	// maxRefused bounds the connections that are told why they are not served.
	maxRefused = 100
	// refuseWithin bounds how long that takes.
	refuseWithin = time.Second
)

// refuse tells a client why its connection ends. It may still be sending its request,
// and loses the answer if that is not read.
func refuse(c *net.TCPConn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(refuseWithin))
	if _, err := c.Write(answerOf(http.StatusServiceUnavailable, "There are too many connections, try again", "Retry-After: 1\r\n")); err == nil {
		c.CloseWrite()
		io.Copy(io.Discard, io.LimitReader(c, MaxBody))
	}
}

// conn replaces a refusal of net/http, which is written in one piece.
type conn struct {
	*net.TCPConn
	release func()
}

// Close gives its place to another one.
func (c *conn) Close() error {
	defer c.release()
	return c.TCPConn.Close()
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
	// plain is how net/http's refusals go on after the status line. What a handler
	// answers has a Date.
	plain = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	// unexpected is how the one begins that net/http gives to a header Expect.
	unexpected = statusLine + "417 Expectation Failed\r\n"
)

// refusal returns what is written instead of p, nil if p is no refusal.
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
