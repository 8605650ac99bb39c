package web_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/web"
)

// Clients of the tests. All of 127.0.0.0/8 leads to this machine.
const (
	hostile = "127.0.0.2"
	polite  = "127.0.0.3"
	third   = "127.0.0.4"
)

// smallServer serves few connections at once, and gives up a request after the timeout if
// it needs its connection. Its handler waits for the bodies of requests, and on /long until
// finish is closed.
type smallServer struct {
	*testing.T
	address string
	entered chan struct{} // gets a value for each request with a body
	started chan struct{} // gets a value for each request to /long, when its body has arrived
	idled   chan struct{} // gets a value for each connection that becomes idle
	finish  chan struct{}
}

func newSmallServer(t *testing.T, limit int, timeout time.Duration, proxies ...netip.Prefix) *smallServer {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all addresses of 127.0.0.0/8 by default")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &smallServer{t, listener.Addr().String(), make(chan struct{}, 10*limit), make(chan struct{}, 10*limit), make(chan struct{}, 10*limit), make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(s.answer)}
	web.Attach(server)
	noteState := server.ConnState
	server.ConnState = func(c net.Conn, state http.ConnState) { noteState(c, state); s.note(state) }
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(web.NewListener(listener, limit, timeout, proxies))
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
		for end := time.Now().Add(10 * time.Second); strings.Contains(stacks(), "net/http.(*conn).serve"); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("a connection is still served:\n%s", stacks())
			}
		}
	})
	return s
}

func (s *smallServer) answer(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength > 0 {
		s.entered <- struct{}{}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
	}
	if r.URL.Path == "/long" {
		s.started <- struct{}{}
		select {
		case <-s.finish:
		case <-r.Context().Done():
		}
	}
	io.WriteString(w, "done")
}

// note follows the state of a connection.
func (s *smallServer) note(state http.ConnState) {
	if state == http.StateIdle {
		select {
		case s.idled <- struct{}{}:
		default: // No test waits for so many.
		}
	}
}

// stacks returns what all goroutines do. Its text grows until it holds them all.
func stacks() string {
	text := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(text, true); n < len(text) {
			return string(text[:n])
		}
		text = make([]byte, 2*len(text))
	}
}

// dial opens a connection of the client and sends the text on it.
func (s *smallServer) dial(client, text string) net.Conn {
	s.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}
	connection, err := dialer.DialContext(s.Context(), "tcp", s.address)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { connection.Close() })
	if _, err := io.WriteString(connection, text); err != nil {
		s.Fatal(err)
	}
	return connection
}

const (
	ordinary   = "GET /things HTTP/1.1\r\nHost: a\r\n\r\n"
	halfHeader = "GET /things HTTP/1.1\r\nHost: a\r\nX-"
	halfBody   = "POST /things HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"
	long       = "POST /long HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf-body"
)

// idle opens a connection that is not used after one request, and returns the status.
func (s *smallServer) idle(client string) (net.Conn, int) {
	s.Helper()
	connection := s.dial(client, ordinary)
	status := s.status(connection)
	if status == http.StatusOK {
		s.await(s.idled, "finished")
	} else {
		connection.Close()
	}
	return connection, status
}

// arriving opens a connection on which half of a body arrives.
func (s *smallServer) arriving(client string) net.Conn {
	s.Helper()
	connection := s.dial(client, halfBody)
	s.await(s.entered, "with the handler")
	return connection
}

// busy opens a connection whose request is carried out.
func (s *smallServer) busy(client string) net.Conn {
	s.Helper()
	connection := s.dial(client, long)
	s.await(s.started, "carried out")
	return connection
}

// await waits until something has happened to a request.
func (s *smallServer) await(happened <-chan struct{}, what string) {
	s.Helper()
	select {
	case <-happened:
	case <-time.After(10 * time.Second):
		s.Fatalf("a request is not %s", what)
	}
}

// status reads an answer.
func (s *smallServer) status(connection net.Conn) int {
	s.Helper()
	connection.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		s.Fatal(err)
	}
	return answer.StatusCode
}

// wantClosed fails the test unless so many of the connections are closed by the server.
func (s *smallServer) wantClosed(connections []net.Conn, want int) {
	s.Helper()
	var (
		all    sync.WaitGroup
		closed atomic.Int32
	)
	for _, each := range connections {
		all.Go(func() {
			each.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			if _, err := each.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				closed.Add(1)
			}
		})
	}
	all.Wait()
	if got := int(closed.Load()); got != want {
		s.Errorf("%d connections are closed, want %d", got, want)
	}
}
