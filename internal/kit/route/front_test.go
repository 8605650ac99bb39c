package route_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/route"
)

// newFront returns a front door on a port that is free, and its port.
func newFront(t *testing.T) (*route.Front, string) {
	t.Helper()
	front, err := route.NewFront(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNow(front.Listener) })
	_, port, err := net.SplitHostPort(front.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return front, port
}

func TestFrontRoutesByHostName(t *testing.T) {
	named := func(name string) *route.Pool {
		return poolOf(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
	}
	orders, payments, other, gateway := named("orders"), named("payments"), named("other"), named("gateway")
	front, port := newFront(t)
	front.Set(route.Routes{Front: gateway, Services: map[string]*route.Pool{
		"orders-svc.api":         orders,
		"payments-svc.api":       payments,
		"metrics.orders-svc.api": other,
		"http.orders-svc.api":    orders,
		"twice.api":              other,
		"twice.web":              other,
	}})
	unknown := func(host string) string {
		text := "no service answers to " + host + "; there are:"
		for _, name := range []string{"metrics.orders-svc.api", "orders-svc.api", "payments-svc.api", "twice.api", "twice.web"} {
			text += "\n  http://" + name + ".localhost:" + port
		}
		return text + "\n"
	}
	client := http1(t)
	for host, want := range map[string]string{
		"orders-svc.api.localhost:" + port:     "orders",
		"Payments-Svc.API.LocalHost":           "payments",
		"orders-svc":                           "orders",
		"orders-svc:80":                        "orders",
		"orders-svc.api":                       "orders",
		"orders-svc.api.svc":                   "orders",
		"orders-svc.api.svc.cluster.local.:80": "orders",
		"orders-svc.localhost":                 "orders",
		"twice.web":                            "other",
		"metrics.orders-svc.api.localhost":     "other",
		"metrics.orders-svc.api":               "gateway", // No DNS has it.
		"http.orders-svc.api.localhost":        "orders",
		"localhost:" + port:                    "gateway",
		"127.0.0.1:" + port:                    "gateway",
		"[::1]:" + port:                        "gateway",
		"[::1]":                                "gateway",
		"shop.example.com":                     "gateway",
		"orders-svc.web":                       "gateway",
		"orders-svc.web.localhost":             unknown("orders-svc.web.localhost"),
		"twice":                                unknown("twice"),
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+front.Addr(), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := client.Do(request)
		if _, got := read(t, response, err); got != want {
			t.Errorf("%s led to %q, want %q", host, got, want)
		}
	}
}

func TestFrontListensOnBothLoopbackAddresses(t *testing.T) {
	front, port := newFront(t)
	front.Set(route.Routes{Front: poolOf(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "gateway") })})
	hosts := []string{"127.0.0.1"}
	if probe, err := net.Listen("tcp", "[::1]:0"); err == nil {
		probe.Close()
		hosts = append(hosts, "[::1]")
	}
	for _, host := range hosts {
		response, err := http1(t).Get("http://" + host + ":" + port)
		if _, got := read(t, response, err); got != "gateway" {
			t.Errorf("%s: got %q", host, got)
		}
	}
}

func TestFrontSaysWhoHasItsPort(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		taken, err := net.Listen("tcp", address)
		if err != nil && strings.HasPrefix(address, "[::1]") {
			continue // There is no IPv6.
		}
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		port := taken.Addr().(*net.TCPAddr).Port
		_, err = route.NewFront(port)
		busy, ok := errors.AsType[*route.BusyError](err)
		if !ok || busy.Port != port {
			t.Fatalf("%s: got %v", address, err)
		}
		if !strings.HasSuffix(err.Error(), ": stop it, or choose another with --port") {
			t.Errorf("%s: there is no remedy in %q", address, err)
		}
		if want := fmt.Sprintf("port %d is in use by %s (process %d)", port, "route.test", os.Getpid()); runtime.GOOS == "linux" && busy.Error() != want {
			t.Errorf("got %q, want %q", busy, want)
		}
	}
}

func TestCloseLetsARequestFinish(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	listener, err := route.ListenHTTP("127.0.0.1:0", poolOf(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-leave
	}))
	if err != nil {
		t.Fatal(err)
	}
	answered, closed := make(chan error, 1), make(chan struct{})
	go func() { answered <- echo(http1(t), "http://"+listener.Addr(), "") }()
	<-arrived
	go func() {
		defer close(closed)
		listener.Close(context.Background())
	}()
	close(leave)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	<-closed
}
