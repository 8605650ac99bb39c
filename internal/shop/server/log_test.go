package server

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/shoptest/ports"
)

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Each line of a service names a trace, also where no request is the reason: when it
// starts and stops, when a collector is down, and when a server of HTTP reports an error.
func TestEachLineNamesATrace(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	logged := &lines{}
	cfg := local
	cfg.MetricsPort = ports.Free(t)
	srv := New(cfg, Service{Name: "a-svc", Timeout: time.Second, Register: nothing}, slog.New(requestid.LogHandler(slog.NewJSONHandler(logged, nil))))
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := status(srv.URL() + "/nowhere"); err != nil {
		t.Error(err)
	}
	srv.http.ErrorLog.Print("an error of the service")
	srv.metrics.http.ErrorLog.Print("an error of the metrics")
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	all := logged.text.String()
	for line := range strings.Lines(all) {
		if !strings.Contains(line, `"trace_id":"`) || !strings.Contains(line, `"span_id":"`) {
			t.Errorf("no trace in %s", line)
		}
	}
	for _, text := range []string{`"ready"`, `"request"`, "error of the service", "error of the metrics", "cannot send telemetry", `"stopping"`, `"stopped"`} {
		if !strings.Contains(all, text) {
			t.Errorf("no line has %s", text)
		}
	}
}
