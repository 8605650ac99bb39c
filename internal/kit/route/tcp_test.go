package route_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/route"
)

// echoServer returns the address of one that sends everything back once the
// client has ended its side.
func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				received, _ := io.ReadAll(connection)
				connection.Write(received)
			}()
		}
	}()
	return listener.Addr().String()
}

func listenTCP(t *testing.T, pool *route.Pool) *route.Listener {
	t.Helper()
	listener, err := route.ListenTCP("127.0.0.1:0", pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNow(listener) })
	return listener
}

func connect(t *testing.T, listener *route.Listener) *net.TCPConn {
	t.Helper()
	connection, err := net.Dial("tcp", listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	connection.SetDeadline(time.Now().Add(deadline))
	return connection.(*net.TCPConn)
}

// finish ends the client's side and returns what comes back.
func finish(t *testing.T, connection *net.TCPConn) string {
	t.Helper()
	connection.CloseWrite()
	answer, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestTCPConnectionsOutliveASwap(t *testing.T) {
	pool, sent := route.NewPool("postgres"), strings.Repeat("hello", 100_000)
	old := endpoint(t, echoServer(t))
	pool.Set([]*route.Endpoint{old})
	connection := connect(t, listenTCP(t, pool))
	if _, err := io.WriteString(connection, sent); err != nil {
		t.Fatal(err)
	}
	pool.Set([]*route.Endpoint{endpoint(t, echoServer(t))})
	retired := make(chan struct{})
	go func() {
		defer close(retired)
		old.Retire(t.Context())
	}()
	if got := finish(t, connection); got != sent {
		t.Errorf("got %d bytes of %d", len(got), len(sent))
	}
	<-retired
}

func TestTCPConnectionsAreCutWhenTimeIsUp(t *testing.T) {
	for name, end := range map[string]func(context.Context, *route.Endpoint, *route.Listener){
		"retire": func(ctx context.Context, e *route.Endpoint, _ *route.Listener) { e.Retire(ctx) },
		"close":  func(ctx context.Context, _ *route.Endpoint, l *route.Listener) { l.Close(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			pool, e := route.NewPool("postgres"), endpoint(t, echoServer(t))
			pool.Set([]*route.Endpoint{e})
			listener := listenTCP(t, pool)
			connection := connect(t, listener)
			io.WriteString(connection, "hello")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			end(ctx, e, listener)
			if _, err := connection.Read(make([]byte, 1)); err == nil {
				t.Error("the connection is still there")
			}
		})
	}
}

func TestTCPConnectionsWaitAndPassACrashedEndpointOver(t *testing.T) {
	pool := route.NewPool("postgres")
	connection := connect(t, listenTCP(t, pool))
	io.WriteString(connection, "hello")
	pool.Set([]*route.Endpoint{endpoint(t, unused(t)), endpoint(t, echoServer(t))})
	if got := finish(t, connection); got != "hello" {
		t.Errorf("got %q", got)
	}
}
