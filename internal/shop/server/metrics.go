package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/koshop/koshop/internal/shop/telemetry"
	"github.com/koshop/koshop/internal/shop/web"
)

// flushTimeout bounds how long what was recorded last is sent when the service stops.
const flushTimeout = 3 * time.Second

// startTelemetry starts the traces and metrics that the environment variables switch on.
func (s *Server) startTelemetry(ctx context.Context) error {
	if err := s.telemetry.Open(ctx, s.cfg.MetricsPort != 0, s.log); err != nil {
		return err
	}
	if err := s.startMetrics(ctx); err != nil {
		return errors.Join(err, s.stopTelemetry())
	}
	return nil
}

// stopTelemetry sends what is left and stops recording. It is no error of the service if a
// collector cannot be reached.
func (s *Server) stopTelemetry() error {
	ctx, end := telemetry.Start(telemetry.With(context.Background(), s.telemetry), "stop telemetry")
	defer end()
	flushing, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := s.telemetry.Close(flushing); err != nil {
		s.log.WarnContext(ctx, "not all telemetry was sent", "error", err.Error())
	}
	return s.metrics.close()
}

// metricsServer serves /metrics on a port of its own, which the Services of Kubernetes do
// not lead to.
type metricsServer struct {
	http   *http.Server
	served chan struct{} // closed when serving ended
}

// maxScrapers is how many connections for metrics are served at once.
const maxScrapers = 10

// startMetrics listens on the port METRICS_PORT; without one it does nothing.
func (s *Server) startMetrics(ctx context.Context) error {
	if s.cfg.MetricsPort == 0 {
		return nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.MetricsPort)))
	if err != nil {
		return fmt.Errorf("%w (METRICS_PORT chooses another port)", err)
	}
	m := &metricsServer{served: make(chan struct{}), http: &http.Server{
		Handler:           s.telemetry.Handler(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 8 << 10,
		ErrorLog:       s.telemetry.ErrorLog(s.log),
	}}
	web.Attach(m.http)
	go func() {
		defer close(m.served)
		if err := m.http.Serve(web.NewListener(ln, maxScrapers, 0, nil)); !errors.Is(err, http.ErrServerClosed) {
			ctx, end := telemetry.Start(telemetry.With(context.WithoutCancel(ctx), s.telemetry), "serve metrics")
			defer end()
			s.log.WarnContext(ctx, "metrics are no longer served", "error", err.Error())
		}
	}()
	s.metrics = m
	return nil
}

func (m *metricsServer) close() error {
	if m == nil {
		return nil
	}
	err := m.http.Close()
	<-m.served
	return err
}
