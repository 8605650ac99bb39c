package route_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/route"
)

// An idle connection of HTTP/2 is given up for one to the next endpoint, and no request
// goes to the one before once that has begun.
func TestHTTP2GoesToTheNextEndpoint(t *testing.T) {
	client, pool := http2(t), poolOf(t, saying("one"))
	url := "http://" + listenAny(t, pool)
	ask := func() string {
		response, err := client.Get(url)
		_, body := read(t, response, err)
		return body
	}
	if got := ask(); got != "one" {
		t.Fatalf("got %q", got)
	}
	pool.Set([]*route.Endpoint{endpoint(t, serve(t, saying("two")).Listener.Addr().String())})
	for end := time.Now().Add(deadline); ask() != "two"; {
		if time.Now().After(end) {
			t.Fatal("the client stays with the endpoint before")
		}
	}
	for range 10 {
		if got := ask(); got != "two" {
			t.Errorf("got %q after that", got)
		}
	}
}

// A stream that has begun goes on with its endpoint, which is finished when that ends.
func TestHTTP2StreamsEnd(t *testing.T) {
	client := http2(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		http.NewResponseController(w).Flush()
		close(begun)
		<-goOn
		io.Copy(w, r.Body)
		w.Header().Set(http.TrailerPrefix+"End", "reached")
	})
	before := route.NewEndpoint(server.Listener.Addr().String())
	pool := route.NewPool("web")
	pool.Set([]*route.Endpoint{before})
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listenAny(t, pool), reader)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	pool.Set([]*route.Endpoint{endpoint(t, serve(t, saying("two")).Listener.Addr().String())})
	retired := make(chan struct{})
	go func() {
		before.Retire(t.Context())
		close(retired)
	}()
	select {
	case <-retired:
		t.Fatal("the endpoint is retired while a stream goes on")
	case <-time.After(100 * time.Millisecond):
	}
	close(goOn)
	io.WriteString(writer, "the rest")
	writer.Close()
	if _, body := read(t, response, nil); body != "the rest" || response.Trailer.Get("End") != "reached" {
		t.Errorf("got %q and the trailers %v", body, response.Trailer)
	}
	select {
	case <-retired:
	case <-time.After(deadline):
		t.Error("the endpoint is not retired when the stream has ended")
	}
}

// Requests of many clients, with and without bodies, are all answered while endpoints
// follow one another and are gone at once when they are retired.
func TestHTTP2LosesNothing(t *testing.T) {
	pool := poolOf(t, func(http.ResponseWriter, *http.Request) {})
	listener := "http://" + listenAny(t, pool)
	handler := func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	next := func() *route.Endpoint {
		server := serve(t, handler)
		e := route.NewEndpoint(server.Listener.Addr().String())
		pool.Set([]*route.Endpoint{e})
		return e
	}
	now := next()
	for i := range 8 {
		client := http2(t)
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				body := strings.Repeat(fmt.Sprint(i, n, " "), 1+n%10*1000)
				if err := echo(client, listener, body); err != nil {
					t.Errorf("client %d, request %d: %v", i, n, err)
					return
				}
			}
		})
	}
	for range 30 {
		before := now
		now = next()
		before.Retire(t.Context())
	}
	stop()
	clients.Wait()
	now.Retire(t.Context())
}

// What is wrong is said as before.
func TestHTTP2WithoutAnEndpoint(t *testing.T) {
	pool := route.NewPool("web").WaitFor(10 * time.Millisecond)
	url := "http://" + listenAny(t, pool)
	response, err := http2(t).Get(url)
	if status, body := read(t, response, err); status != http.StatusServiceUnavailable || !strings.Contains(body, "web is not ready") {
		t.Errorf("got %d, %q", status, body)
	}
	pool.Set([]*route.Endpoint{endpoint(t, unused(t))})
	response, err = http2(t).Get(url)
	if status, body := read(t, response, err); status != http.StatusBadGateway || !strings.Contains(body, "web does not answer") {
		t.Errorf("got %d, %q", status, body)
	}
}

// Nothing waits for an endpoint that will not come.
func TestGiveUp(t *testing.T) {
	pool := route.NewPool("web").WaitFor(deadline)
	address := listenAny(t, pool)
	time.AfterFunc(50*time.Millisecond, pool.GiveUp)
	for _, client := range []*http.Client{http1(t), http2(t)} {
		response, err := client.Get("http://" + address)
		if status, _ := read(t, response, err); status != http.StatusServiceUnavailable {
			t.Errorf("got %d", status)
		}
	}
}

// A client that ends its connection leaves nothing behind that its endpoint waits for.
func TestHTTP2ClientThatGoes(t *testing.T) {
	before := route.NewEndpoint(serve(t, saying("one")).Listener.Addr().String())
	pool := route.NewPool("web")
	pool.Set([]*route.Endpoint{before})
	client := http2(t)
	response, err := client.Get("http://" + listenAny(t, pool))
	if status, body := read(t, response, err); status != http.StatusOK || body != "one" {
		t.Fatalf("%d %q", status, body)
	}
	client.CloseIdleConnections()
	finished := make(chan struct{})
	go func() {
		before.Finish(t.Context())
		close(finished)
	}()
	select {
	case <-finished:
	case <-time.After(deadline):
		t.Error("the endpoint waits for a connection that has ended")
	}
}
