package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/shoptest/logs"
	"github.com/koshop/koshop/internal/shop/shoptest/ports"
)

// Each line of a service names a trace, also where no request is the reason: when it
// starts and stops, when a collector is down, and when a server of HTTP reports an error.
func TestEachLineNamesATrace(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	logged := &logs.Buffer{}
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
	all := logged.String()
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
