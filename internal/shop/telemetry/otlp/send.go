package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Pauses between two attempts to send the same.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// maxAnswer bounds what is read of a collector's answer.
const maxAnswer = 64 << 10

// sender sends to one URL.
type sender struct {
	Settings
	http   *http.Client
	log    *slog.Logger
	tracer trace.Tracer // for trace ids in the log; its spans are never sent, as each would cause another
	failed atomic.Bool  // the last time
	life   context.Context
	end    context.CancelFunc
}

func newSender(s *Settings, log *slog.Logger) *sender {
	life, end := context.WithCancel(context.Background())
	untold := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	return &sender{Settings: *s, log: log, tracer: untold.Tracer("otlp"), life: life, end: end, http: &http.Client{
		Timeout: s.timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: s.tls, MaxIdleConns: 1, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// close gives up what is being sent.
func (s *sender) close() {
	s.end()
	s.http.CloseIdleConnections()
}

// send sends a message until that succeeds, or ctx or the sender ends. It logs
// when sending begins to fail, and when it works again.
func (s *sender) send(ctx context.Context, message []byte) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	ctx, span := s.tracer.Start(ctx, "send telemetry")
	defer span.End()
	err := s.repeat(ctx, message)
	switch before := s.failed.Swap(err != nil); {
	case err != nil && !before:
		s.log.WarnContext(ctx, "cannot send telemetry, and goes on without", "error", err.Error())
	case err == nil && before:
		s.log.InfoContext(ctx, "telemetry is sent again")
	}
}

func (s *sender) repeat(ctx context.Context, message []byte) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := s.post(ctx, message)
		var passing *passingError
		if err == nil || !errors.As(err, &passing) {
			return err
		}
		select {
		case <-time.After(max(pause, passing.after)):
		case <-ctx.Done():
			return err
		}
	}
}

// passingError is a failure after which the same may be sent again.
type passingError struct {
	error
	after time.Duration
}

func (s *sender) post(ctx context.Context, message []byte) error {
	body := message
	if s.gzip {
		body = compress(message)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = s.header.Clone()
	req.Header.Set("Content-Type", "application/x-protobuf")
	if s.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := s.http.Do(req)
	if err != nil {
		return &passingError{error: err}
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // so that the connection can be used again
	if res.StatusCode >= 200 && res.StatusCode <= 299 {
		return nil
	}
	err = fmt.Errorf("the collector answered %d", res.StatusCode)
	if !slices.Contains([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, res.StatusCode) {
		return err
	}
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After")) // 0 without one
	return &passingError{err, min(time.Duration(max(seconds, 0))*time.Second, longestPause)}
}

func compress(message []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(message) // A buffer takes everything.
	w.Close()
	return b.Bytes()
}
