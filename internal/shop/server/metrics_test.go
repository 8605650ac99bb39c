package server

import (
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func nothing(huma.API) {}

// A variable of OpenTelemetry that does not fit is refused, as all others are, and
// nothing listens then.
func TestTelemetryThatDoesNotFit(t *testing.T) {
	for name, value := range map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector", "OTEL_TRACES_EXPORTER": "smoke"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			srv := New(local, Service{Name: "a-svc", Timeout: time.Second, Register: nothing}, quiet())
			if err := srv.Start(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestMetricsPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	cfg := local
	cfg.MetricsPort = ln.Addr().(*net.TCPAddr).Port
	srv := New(cfg, Service{Name: "a-svc", Timeout: time.Second, Register: nothing}, quiet())
	if err := srv.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "METRICS_PORT") {
		t.Errorf("error %v", err)
	}
}

// A collector that cannot be reached keeps no service from starting, and from stopping.
func TestCollectorThatIsDown(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	srv := New(local, Service{Name: "a-svc", Timeout: time.Second, Register: nothing}, quiet())
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > flushTimeout+10*time.Second {
		t.Errorf("it took %v", took)
	}
	if !telemetryBecomes(false) {
		t.Fatalf("it goes on running:\n%s", stacks())
	}
}

// Without telemetry, nothing of it runs.
func TestTelemetryIsOff(t *testing.T) {
	for _, endpoint := range []string{"", "http://127.0.0.1:1"} {
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)
		srv := New(local, Service{Name: "a-svc", Timeout: time.Second, Register: nothing}, quiet())
		if err := srv.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !telemetryBecomes(endpoint != "") {
			t.Errorf("with the endpoint %q it should run: %t\n%s", endpoint, endpoint != "", stacks())
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}
}

const sdk = "go.opentelemetry.io/otel/sdk"

// telemetryBecomes waits until a goroutine of telemetry runs, or until none does. The last one may still be about to
// begin or to end. It returns false after 10 s.
func telemetryBecomes(running bool) bool {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if strings.Contains(stacks(), sdk) == running {
			return true
		}
	}
	return false
}

// stacks returns what all goroutines do. Its text grows until it holds them all: connections of the tests before may
// still be closing, and thousands of them do not fit into a text of a fixed size.
func stacks() string {
	text := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(text, true); n < len(text) {
			return string(text[:n])
		}
		text = make([]byte, 2*len(text))
	}
}
