package route_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/route"
)

func TestNoRequestFailsWhileEndpointsAreSwapped(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	const swaps = 200
	pool := route.NewPool("web")
	url := listenHTTP(t, pool)
	ctx, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for i := range 12 {
		client := http1(t)
		if i%4 == 0 {
			client = http2(t)
		}
		load.Go(func() {
			body := strings.Repeat("x", 1+i*i*1000)
			for ctx.Err() == nil {
				if err := echo(client, url, body); err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
			}
		})
	}
	var stopOld func()
	for range swaps {
		served := make(chan struct{})
		first := sync.OnceFunc(func() { close(served) })
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			first()
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Errorf("a request was cut: %v", err)
			}
			w.Write(body)
		})
		current := endpoint(t, server.Listener.Addr().String())
		pool.Set([]*route.Endpoint{current})
		if stopOld != nil {
			stopOld()
		}
		select {
		case <-served:
		case <-time.After(deadline):
			t.Fatal("no request reached the new endpoint")
		}
		stopOld = func() {
			current.Retire(t.Context())
			server.Config.Close() // at once, and with all its connections
		}
	}
	cancel()
	load.Wait()
}

func TestRoundRobin(t *testing.T) {
	var endpoints []*route.Endpoint
	for i := range 3 {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, i) })
		endpoints = append(endpoints, endpoint(t, server.Listener.Addr().String()))
	}
	pool := route.NewPool("web")
	pool.Set(endpoints)
	url, client := listenHTTP(t, pool), http1(t)
	seen := map[string]int{}
	for range 9 {
		response, err := client.Get(url)
		_, body := read(t, response, err)
		seen[body]++
	}
	if seen["0"] != 3 || seen["1"] != 3 || seen["2"] != 3 {
		t.Errorf("the endpoints served %v requests", seen)
	}
}

func TestARequestWaitsForTheFirstEndpoint(t *testing.T) {
	pool := route.NewPool("web")
	url := listenHTTP(t, pool)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	time.AfterFunc(100*time.Millisecond, func() {
		pool.Set([]*route.Endpoint{endpoint(t, server.Listener.Addr().String())})
	})
	if err := echo(http1(t), url, "hello"); err != nil {
		t.Error(err)
	}
}

func TestARequestThatNothingIsReadyFor(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	t.Parallel() // It waits.
	pool := route.NewPool("payments-svc")
	url := listenHTTP(t, pool)
	ask := func(want string) {
		t.Helper()
		response, err := http1(t).Get(url)
		if status, body := read(t, response, err); status != http.StatusServiceUnavailable || body != want+"\n" {
			t.Errorf("got %d, %q", status, body)
		}
		if got := response.Header.Get("Retry-After"); got != "1" {
			t.Errorf("got Retry-After %q", got)
		}
	}
	ask("payments-svc is not ready")
	pool.Explain(func() string { return "payments-svc is not ready: it does not compile" })
	ask("payments-svc is not ready: it does not compile")
}

func TestARetiredEndpointTakesNothing(t *testing.T) {
	t.Parallel() // It waits.
	server := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	retired := endpoint(t, server.Listener.Addr().String())
	retired.Retire(t.Context())
	pool := route.NewPool("web")
	pool.Set([]*route.Endpoint{retired})
	response, err := http1(t).Get(listenHTTP(t, pool))
	if status, _ := read(t, response, err); status != http.StatusServiceUnavailable {
		t.Errorf("got status %d", status)
	}
}

func TestRetireEndsWithItsContext(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-leave
	})
	slow := endpoint(t, server.Listener.Addr().String())
	pool := route.NewPool("web")
	pool.Set([]*route.Endpoint{slow})
	url, answered := listenHTTP(t, pool), make(chan error, 1)
	go func() { answered <- echo(http1(t), url, "") }()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	slow.Retire(ctx)
	close(leave)
	if err := <-answered; err != nil {
		t.Errorf("the request was cut: %v", err)
	}
}

func TestACrashedEndpointIsPassedOver(t *testing.T) {
	alive := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	pool := route.NewPool("web")
	pool.Set([]*route.Endpoint{endpoint(t, unused(t)), endpoint(t, alive.Listener.Addr().String())})
	url := listenHTTP(t, pool)
	for _, client := range []*http.Client{http1(t), http2(t)} {
		for range 4 {
			if err := echo(client, url, "hello"); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestACrashedEndpointWithoutAnother(t *testing.T) {
	t.Parallel() // It waits.
	pool := route.NewPool("payments-svc")
	pool.Set([]*route.Endpoint{endpoint(t, unused(t))})
	response, err := http1(t).Get(listenHTTP(t, pool))
	status, body := read(t, response, err)
	if status != http.StatusBadGateway || !strings.HasPrefix(body, "payments-svc does not answer: ") {
		t.Errorf("got %d, %q", status, body)
	}
}

func TestListenerOnABusyPort(t *testing.T) {
	listener, err := route.ListenTCP("127.0.0.1:0", route.NewPool("web"))
	if err != nil {
		t.Fatal(err)
	}
	defer closeNow(listener)
	_, err = route.ListenHTTP(listener.Addr(), route.NewPool("web"))
	if _, ok := errors.AsType[*route.BusyError](err); !ok {
		t.Errorf("got %v", err)
	}
}
