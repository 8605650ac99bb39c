package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/config"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/web"
)

var local = Config{Host: "127.0.0.1", DrainTimeout: 5 * time.Second}

type empty struct{}

// slow is a service whose only operation waits until the test lets it go.
type slow struct {
	entered, leave chan struct{}
}

func (s slow) register(api huma.API) {
	huma.Register(api, web.Operation("slow", http.MethodGet, "/slow", "Wait"), func(context.Context, *empty) (*empty, error) {
		close(s.entered)
		<-s.leave
		return nil, nil
	})
}

func newSlow() slow { return slow{make(chan struct{}), make(chan struct{})} }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func status(url string) (int, error) {
	res, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// await polls until the URL answers with the status.
func await(t *testing.T, url string, want int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if got, err := status(url); err == nil && got == want {
			return
		}
	}
	t.Fatalf("%s never answered %d", url, want)
}

func TestStopDrains(t *testing.T) {
	op, cfg := newSlow(), local
	cfg.DrainDelay = 3 * time.Second
	var order []string
	srv := New(cfg, Service{
		Name: "slow-svc", Timeout: time.Minute, Register: op.register,
		Work:  func(ctx context.Context) { <-ctx.Done(); order = append(order, "work ended") },
		Close: func() error { order = append(order, "closed"); return nil },
	}, quiet())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	inFlight := make(chan int, 1)
	go func() {
		got, err := status(srv.URL() + "/slow")
		if err != nil {
			t.Errorf("the request in flight: %v", err)
		}
		inFlight <- got
	}()
	<-op.entered

	closed := make(chan error, 1)
	go func() { closed <- srv.Close() }()
	await(t, srv.URL()+"/readyz", http.StatusServiceUnavailable)
	res, err := http.Get(srv.URL() + "/livez")
	if err != nil {
		t.Fatal("a new request during the delay: ", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || !res.Close {
		t.Errorf("a new request during the delay: %d, connection kept: %v", res.StatusCode, !res.Close)
	}
	close(op.leave)
	if got := <-inFlight; got != http.StatusNoContent {
		t.Errorf("the request in flight got %d", got)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	if got := strings.Join(order, ", "); got != "work ended, closed" {
		t.Errorf("order: %s", got)
	}
}

// net/http answers OPTIONS * by itself, without a body, unless it is told not to.
func TestOptionsOfEverything(t *testing.T) {
	srv := New(local, Service{Name: "a-svc", Timeout: time.Second, Register: nothing}, quiet())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, srv.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Opaque = "*"
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusNotFound || answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v %s %v", answer.StatusCode, answer.Header, body, err)
	}
}

func TestStopIsBounded(t *testing.T) {
	op, cfg := newSlow(), local
	cfg.DrainTimeout = 50 * time.Millisecond
	srv := New(cfg, Service{Name: "slow-svc", Timeout: time.Minute, Register: op.register}, quiet())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if got, err := status(srv.URL() + "/slow"); err == nil {
			t.Errorf("the stuck request got %d", got)
		}
	}()
	<-op.entered
	if err := srv.Close(); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "DRAIN_TIMEOUT") {
		t.Errorf("Close: %v", err)
	}
	<-gone
	close(op.leave)
}

func TestHealthWhileOpening(t *testing.T) {
	opening, open := make(chan struct{}), make(chan struct{})
	srv := New(local, Service{
		Name: "test-svc", Timeout: time.Second, Register: newSlow().register,
		Open: func(context.Context) error { close(opening); <-open; return nil },
	}, quiet())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	<-opening
	url := srv.URL()
	await(t, url+"/livez", http.StatusOK)
	await(t, url+"/readyz", http.StatusServiceUnavailable)
	await(t, url+"/slow", http.StatusServiceUnavailable)
	close(open)
	await(t, url+"/readyz", http.StatusOK)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestReadyzSaysWhatOpenWaitsFor(t *testing.T) {
	opening, open := make(chan struct{}), make(chan struct{})
	srv := New(local, Service{
		Name: "test-svc", Timeout: time.Second, Register: newSlow().register,
		Open:  func(context.Context) error { close(opening); <-open; return nil },
		Ready: func(context.Context) error { return fault.New(fault.Unavailable, "The service waits for its tea") },
	}, quiet())
	started := make(chan error, 1)
	go func() { started <- srv.Start(t.Context()) }()
	<-opening
	res, err := http.Get(srv.URL() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "The service waits for its tea") {
		t.Errorf("%d %s %v", res.StatusCode, body, err)
	}
	close(open)
	if err := errors.Join(<-started, srv.Close()); err != nil {
		t.Error(err)
	}
}

func TestOpenFails(t *testing.T) {
	broken := errors.New("no database")
	srv := New(local, Service{
		Name: "test-svc", Timeout: time.Second, Register: newSlow().register,
		Open: func(context.Context) error { return broken },
	}, quiet())
	if err := srv.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Run: %v", err)
	}
	if got, err := status(srv.URL() + "/livez"); err == nil {
		t.Errorf("still answers %d", got)
	}
}

func TestPortInUse(t *testing.T) {
	first := New(local, Service{Name: "a", Timeout: time.Second, Register: newSlow().register}, quiet())
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	cfg := local
	cfg.Port = first.listener.Addr().(*net.TCPAddr).Port
	err := New(cfg, Service{Name: "b", Timeout: time.Second, Register: newSlow().register}, quiet()).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "PORT") {
		t.Errorf("got %v, want an error that names PORT", err)
	}
}

func TestDrainDelayDefault(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	var cfg Config
	vars := config.New("test-svc", "is a test.")
	cfg.Bind(vars)
	if err := vars.Load(); err != nil || cfg.DrainDelay != 3*time.Second {
		t.Errorf("in a pod: %v, %v", cfg.DrainDelay, err)
	}
}
