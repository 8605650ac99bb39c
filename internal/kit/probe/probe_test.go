package probe_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/koshop/koshop/internal/kit/probe"
)

func TestCheckHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		case "/header":
			if r.Host != "shop.example" || r.Header.Get("X-Probe") != "yes" || r.URL.Query().Get("deep") != "1" {
				w.WriteHeader(http.StatusBadRequest)
			}
		case "/broken":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/slow":
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	for _, test := range []struct{ path, want string }{
		{"/fine", ""},
		{"fine", ""},
		{"/moved", ""},
		{"/header?deep=1", ""},
		{"/broken", "answers 503"},
		{"/slow", "deadline exceeded"},
	} {
		p := &probe.Probe{HTTPGet: &probe.HTTPGet{
			Path: test.path, Port: port(t, server.Listener.Addr().String()),
			Headers: []probe.Header{{Name: "host", Value: "shop.example"}, {Name: "X-Probe", Value: "yes"}},
		}}
		expect(t, test.path, probe.Check(t.Context(), p, nil), test.want)
	}
}

func TestCheckTCP(t *testing.T) {
	listener := listen(t)
	p := probe.Listening(port(t, listener.Addr().String()))
	expect(t, "listening", probe.Check(t.Context(), p, nil), "")
	listener.Close()
	expect(t, "closed", probe.Check(t.Context(), p, nil), "refused")
}

func TestCheckGRPC(t *testing.T) {
	listener := listen(t)
	server, service := grpc.NewServer(), health.NewServer()
	grpc_health_v1.RegisterHealthServer(server, service)
	go server.Serve(listener)
	defer server.Stop()
	p := &probe.Probe{GRPC: &probe.GRPC{Port: port(t, listener.Addr().String())}}
	expect(t, "serving", probe.Check(t.Context(), p, nil), "")
	service.SetServingStatus("", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	expect(t, "not serving", probe.Check(t.Context(), p, nil), "NOT_SERVING")
	p.GRPC.Service = "unheard-of"
	expect(t, "another service", probe.Check(t.Context(), p, nil), "gRPC status 5: unknown service")
	service.SetServingStatus(p.GRPC.Service, grpc_health_v1.HealthCheckResponse_SERVING)
	expect(t, "a service", probe.Check(t.Context(), p, nil), "")
}

// What answers without being a gRPC server is not healthy.
func TestCheckGRPCOfOthers(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	p := &probe.Probe{GRPC: &probe.GRPC{Port: port(t, server.Listener.Addr().String())}}
	expect(t, "no gRPC", probe.Check(t.Context(), p, nil), "not one of gRPC")
	silent := listen(t)
	p.GRPC.Port = port(t, silent.Addr().String())
	expect(t, "silent", probe.Check(t.Context(), p, nil), "deadline exceeded")
}

func TestCheckExec(t *testing.T) {
	p := &probe.Probe{Command: []string{"ready", "--now"}}
	var got []string
	err := probe.Check(t.Context(), p, func(_ context.Context, command []string) error {
		got = command
		return errors.New("exit status 1")
	})
	expect(t, "exec", err, "exit status 1")
	if strings.Join(got, " ") != "ready --now" {
		t.Errorf("ran %q", got)
	}
}

func TestUntilTheFirstSuccess(t *testing.T) {
	var asked, failed int
	p := &probe.Probe{Command: []string{"ready"}}
	err := probe.Until(t.Context(), p, func(context.Context, []string) error {
		if asked++; asked < 4 {
			return errors.New("not yet")
		}
		return nil
	}, func(error) { failed++ })
	if err != nil || asked != 4 || failed != 3 {
		t.Errorf("error %v after %d tries, %d failures reported", err, asked, failed)
	}
	ended, cancel := context.WithCancel(t.Context())
	err = probe.Until(ended, p, func(context.Context, []string) error {
		return errors.New("not yet")
	}, func(error) { cancel() })
	expect(t, "an end before success", err, "not yet")
}

// Thresholds count failures and successes in a row.
func TestWatchTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := &probe.Probe{Command: []string{"ready"}, PeriodSeconds: 1, FailureThreshold: 2, SuccessThreshold: 1}
	answers := []error{nil, errors.New("one"), nil, errors.New("two"), errors.New("three"), nil}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var asked atomic.Int32
	var turns []string
	probe.Watch(ctx, p, func(context.Context, []string) error {
		return answers[int(asked.Add(1)-1)%len(answers)]
	}, func(err error) {
		if turns = append(turns, "healthy"); err != nil {
			turns[len(turns)-1] = err.Error()
		}
		if len(turns) == 2 {
			cancel()
		}
	})
	if strings.Join(turns, " ") != "three healthy" {
		t.Errorf("turned %q", turns)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func port(t *testing.T, address string) int {
	t.Helper()
	u := url.URL{Host: address}
	n, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func expect(t *testing.T, what string, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v, want %q", what, err, want)
	}
}
