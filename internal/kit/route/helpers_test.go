package route_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/route"
)

// deadline ends a test that hangs.
const deadline = 30 * time.Second

// listenHTTP serves a pool until the test ends and returns its URL.
func listenHTTP(t *testing.T, pool *route.Pool) string {
	t.Helper()
	listener, err := route.ListenHTTP("127.0.0.1:0", pool)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNow(listener) })
	return "http://" + listener.Addr()
}

// closeNow closes a listener and cuts what is left.
func closeNow(listener *route.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	listener.Close(ctx)
}

// serve starts a program's server, with HTTP/1.1 and unencrypted HTTP/2.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(func() { server.Config.Close() })
	return server
}

// endpoint returns the endpoint of an address until the test ends.
func endpoint(t *testing.T, address string) *route.Endpoint {
	t.Helper()
	e := route.NewEndpoint(address)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	t.Cleanup(func() { e.Retire(ctx) })
	return e
}

// poolOf returns a pool that leads to one server.
func poolOf(t *testing.T, handler http.HandlerFunc) *route.Pool {
	t.Helper()
	pool := route.NewPool("web")
	pool.Set([]*route.Endpoint{endpoint(t, serve(t, handler).Listener.Addr().String())})
	return pool
}

// client returns one with connections of its own.
func client(t *testing.T, enable func(*http.Protocols, bool)) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: &http.Protocols{}}
	enable(transport.Protocols, true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: deadline}
}

func http1(t *testing.T) *http.Client { return client(t, (*http.Protocols).SetHTTP1) }
func http2(t *testing.T) *http.Client { return client(t, (*http.Protocols).SetUnencryptedHTTP2) }

// read returns the status and the body of a response.
func read(t *testing.T, response *http.Response, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// echo sends a body and fails if anything else comes back.
func echo(client *http.Client, url, body string) error {
	response, err := client.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || string(answer) != body) {
		return fmt.Errorf("status %d, %d bytes: %.200s", response.StatusCode, len(answer), answer)
	}
	return err
}

// unused returns an address on which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
