package web_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/web"
)

// What net/http refuses by itself is refused in the form of everything else.
func TestRefusalsOfTheServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{MaxHeaderBytes: 1 << 10, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nof a handler")
	})}
	go server.Serve(web.NewListener(listener, 100, time.Minute, nil))
	t.Cleanup(func() { server.Close() })
	for name, test := range map[string]struct {
		request string
		status  int
		detail  string
	}{
		"no HTTP":            {"hello\r\n\r\n", 400, "Bad Request"},
		"a URL":              {"GET /% HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad Request"},
		"no Host":            {"GET / HTTP/1.1\r\n\r\n", 400, "Bad Request: missing required Host header"},
		"a name of a header": {"GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n", 400, "Bad Request: invalid header name"},
		"a large header":     {"GET / HTTP/1.1\r\nHost: a\r\nA: " + strings.Repeat("b", 10<<10) + "\r\n\r\n", 431, "Request Header Fields Too Large"},
		"an expectation":     {"GET / HTTP/1.1\r\nHost: a\r\nExpect: nothing\r\n\r\n", 417, "Expectation Failed"},
		"a version":          {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "HTTP Version Not Supported: unsupported protocol version"},
		"an encoding":        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "Not Implemented"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, body := raw(t, listener.Addr().String(), test.request)
			var problem struct {
				Status int
				Detail string
			}
			if err := json.Unmarshal(body, &problem); err != nil {
				t.Fatalf("%v: %d %s", err, answer.StatusCode, body)
			}
			if answer.StatusCode != test.status || problem.Status != test.status || problem.Detail != test.detail ||
				answer.Header.Get("Content-Type") != "application/problem+json" || !answer.Close {
				t.Errorf("%d, %v: %s", answer.StatusCode, answer.Header, body)
			}
		})
	}
	if answer, body := raw(t, listener.Addr().String(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); answer.StatusCode != 200 || !strings.HasSuffix(string(body), "of a handler") {
		t.Errorf("a handler's answer becomes %d %s", answer.StatusCode, body)
	}
}

func raw(t *testing.T, address, request string) (*http.Response, []byte) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, body
}

func TestMediaTypesInCapitals(t *testing.T) {
	url, _ := service(t, nil)
	for contentType, status := range map[string]int{
		"Application/JSON": 200, "APPLICATION/json ; charset=UTF-8": 200, "application/vnd.x+JSON": 200, "": 200,
		"text/plain": 415, "Application/XML": 415,
	} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", url+"/people", strings.NewReader(`{"name":"Ann","email":"ann@example.com","password":"long enough it is"}`))
		if err != nil {
			t.Fatal(err)
		}
		if contentType != "" {
			request.Header.Set("Content-Type", contentType)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("%q: %d, want %d", contentType, answer.StatusCode, status)
		}
	}
}

// One connection too many is told so, and served when another has gone.
func TestTooManyConnections(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	go server.Serve(web.NewListener(listener, 2, time.Minute, nil))
	t.Cleanup(func() { server.Close() })
	const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	var idle []net.Conn
	for range 2 {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		io.WriteString(connection, request)
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil || answer.StatusCode != 404 {
			t.Fatalf("%v, %v", answer, err)
		}
		idle = append(idle, connection)
	}
	for range 3 {
		answer, body := raw(t, listener.Addr().String(), request)
		if answer.StatusCode != 503 || answer.Header.Get("Retry-After") != "1" || !strings.Contains(string(body), "too many connections") {
			t.Errorf("%d %v %s", answer.StatusCode, answer.Header, body)
		}
	}
	idle[0].Close()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if answer, _ := raw(t, listener.Addr().String(), request); answer.StatusCode == 404 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the place of a connection that has gone is not given to another")
		}
	}
}

// late is a listener that accepts its last connection when it is already closed.
type late struct {
	net.Listener
	closed chan struct{} // closed by Close
	last   *net.TCPConn  // nil when it has been accepted
}

func (l *late) Accept() (net.Conn, error) {
	<-l.closed
	if l.last == nil {
		return nil, net.ErrClosed
	}
	last := l.last
	l.last = nil
	return last, nil
}

func (l *late) Close() error { close(l.closed); return nil }

// After Close, whose caller relies on it, nothing is being answered any more.
func TestNoRefusalAfterClose(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	closing := web.NewListener(&late{closed: make(chan struct{}), last: accepted.(*net.TCPConn)}, 0, time.Minute, nil)
	if err := closing.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := closing.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	client.SetReadDeadline(time.Now().Add(10 * time.Second))
	if answer, err := io.ReadAll(client); err != nil || len(answer) > 0 {
		t.Errorf("the connection gets %q, error %v", answer, err)
	}
}
