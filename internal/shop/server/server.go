// Package server is the life of a service: listen, become ready, serve, drain,
// stop. A Server is started and closed by a main or by a test in the same way.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

// Service is what a Server runs. Register is required, the other functions are
// for services that have state.
type Service struct {
	Name     string        // the workload, as in orders-svc
	About    string        // one sentence
	Greeting string        // what GET /healthz says
	Timeout  time.Duration // how long one request may take
	Register func(api huma.API)
	Open     func(ctx context.Context) error // brings up what the operations need; may wait for it
	Ready    func(ctx context.Context) error // tells whether that works; asked while it is brought up, too
	Work     func(ctx context.Context)       // runs beside the operations until ctx ends
	Close    func() error                    // releases what Open took
}

// States of a Server. Requests are served in the last two, /readyz is 200 only
// in the middle one.
const (
	starting int32 = iota
	ready
	draining
)

// maxHeaderBytes is how long the request line and the headers of a request may be, without
// the 4 KiB that net/http adds: 12 KiB have room for 8 KiB of baggage, which W3C requires
// services to pass on, for a token of 1 KiB, and for what browsers and proxies add.
const maxHeaderBytes = 8 << 10

// Server runs one Service.
type Server struct {
	cfg       Config
	svc       Service
	log       *slog.Logger
	http      *http.Server
	listener  net.Listener
	state     atomic.Int32
	telemetry *telemetry.Telemetry
	metrics   *metricsServer // nil without metrics

	served   chan struct{} // closed when serving ended, with serveErr set
	serveErr error

	stopWork context.CancelFunc
	work     sync.WaitGroup
	close    func() error
}

// New returns a Server that has not been started.
func New(cfg Config, svc Service, log *slog.Logger) *Server {
	log = log.With("service", svc.Name)
	s := &Server{cfg: cfg, svc: svc, log: log, served: make(chan struct{}), stopWork: func() {}, telemetry: telemetry.New(svc.Name)}
	s.close = sync.OnceValue(s.shutDown)
	s.http = &http.Server{
		Handler: web.NewHandler(web.Options{
			Name: svc.Name, About: svc.About, Greeting: svc.Greeting, Timeout: svc.Timeout,
			Register: svc.Register, Proxies: cfg.Proxies, Log: log, Ready: s.checkReady, Telemetry: s.telemetry,
			Started:  func() bool { return s.state.Load() != starting },
			Stopping: func() bool { return s.state.Load() == draining },
		}),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      svc.Timeout + 10*time.Second,
		IdleTimeout:       15 * time.Second,
		MaxHeaderBytes:    maxHeaderBytes,
		// OPTIONS * is answered in the form of everything else.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     s.telemetry.ErrorLog(log),
	}
	web.Attach(s.http)
	return s
}

// Start listens, opens the service and returns when it is ready. From the
// first moment on health is answered, so that a pod that waits for its
// database is alive, though not ready. After an error nothing listens any more, and there is
// nothing to Close.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)))
	if err != nil {
		return fmt.Errorf("%w (PORT and HOST choose another address)", err)
	}
	if err := s.startTelemetry(ctx); err != nil {
		return errors.Join(err, ln.Close())
	}
	s.listener = ln
	go func() {
		defer close(s.served)
		s.serveErr = s.http.Serve(web.NewListener(ln, web.MaxConnections, s.svc.Timeout, s.cfg.Proxies))
	}()
	ctx = telemetry.With(ctx, s.telemetry)
	opening, end := telemetry.Start(ctx, "start")
	defer end()
	if s.svc.Open != nil {
		if err := s.svc.Open(opening); err != nil {
			return errors.Join(err, s.abort())
		}
	}
	s.state.Store(ready)
	s.startWork(ctx)
	s.log.InfoContext(opening, "ready", "address", ln.Addr().String())
	return nil
}

func (s *Server) startWork(ctx context.Context) {
	if s.svc.Work == nil {
		return
	}
	ctx, s.stopWork = context.WithCancel(context.WithoutCancel(ctx))
	s.work.Go(func() { s.svc.Work(ctx) })
}

// URL is where a started server answers on this machine.
func (s *Server) URL() string {
	host := s.cfg.Host
	if host == "" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(s.listener.Addr().(*net.TCPAddr).Port))
}

// Run starts the server and closes it when ctx ends, which is no error.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Start(ctx); err != nil {
		if ctx.Err() != nil { // told to stop before it was ready
			return nil
		}
		return err
	}
	select {
	case <-ctx.Done():
		return s.Close()
	case <-s.served:
		return errors.Join(fmt.Errorf("serve: %w", s.serveErr), s.Close())
	}
}

// Close drains and stops a started server: /readyz turns 503, requests are
// accepted for the delay, those in flight finish within the timeout, the work
// beside them ends, the service is closed. Only the first call does this.
func (s *Server) Close() error { return s.close() }

func (s *Server) shutDown() error {
	s.state.Store(draining)
	stopping, end := telemetry.Start(telemetry.With(context.Background(), s.telemetry), "stop")
	s.log.InfoContext(stopping, "stopping", "delay", s.cfg.DrainDelay.String())
	time.Sleep(s.cfg.DrainDelay)

	ctx, cancel := context.WithTimeout(stopping, s.cfg.DrainTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were still running after DRAIN_TIMEOUT (%v): %w", s.cfg.DrainTimeout, err), s.http.Close())
	}
	<-s.served
	s.stopWork()
	s.work.Wait()
	if s.svc.Close != nil {
		err = errors.Join(err, s.svc.Close())
	}
	s.log.InfoContext(stopping, "stopped")
	end()
	return errors.Join(err, s.stopTelemetry())
}

// abort stops a server that did not become ready: nothing is in flight.
func (s *Server) abort() error {
	err := s.http.Close()
	<-s.served
	return errors.Join(err, s.stopTelemetry())
}

func (s *Server) checkReady(ctx context.Context) error {
	switch s.state.Load() {
	case starting:
		if s.svc.Ready != nil {
			if err := s.svc.Ready(ctx); err != nil { // says what Open waits for
				return err
			}
		}
		return errors.New("starting")
	case draining:
		return errors.New("stopping")
	}
	if s.svc.Ready == nil {
		return nil
	}
	return s.svc.Ready(ctx)
}
