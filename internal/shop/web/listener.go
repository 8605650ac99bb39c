package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// JSONListener returns a listener of which net/http's own refusals are JSON, like all
// other answers: of what is no HTTP, of too large a header, of an expectation that it
// does not know. It writes them itself, before there is a request for a handler.
func JSONListener(l net.Listener) net.Listener { return &jsonListener{l} }

type jsonListener struct{ net.Listener }

func (l *jsonListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if tcp, ok := connection.(*net.TCPConn); ok {
		return &jsonConn{tcp}, err
	}
	return connection, err
}

// jsonConn replaces such a refusal, which is written in one piece.
type jsonConn struct{ *net.TCPConn }

func (c *jsonConn) Write(p []byte) (int, error) {
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
	body, err := json.Marshal(problem(status, detail))
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(body), body)
}
