package payments

import (
	"encoding/json"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// TestADatabaseThatCannotBeOpenedIsTheError has metrics be sent when the service ends,
// before its database was ever open.
func TestADatabaseThatCannotBeOpenedIsTheError(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:1")
	source := databasetest.Source(t, "sqlite:"+filepath.Join(t.TempDir(), "missing", "payments.db"))
	srv := New(Config{
		Config: shoptest.Config(), Database: source, OrdersURL: shoptest.URL(t, "http://127.0.0.1:1"),
		SettleInterval: time.Hour, ReconcileInterval: time.Hour,
	}, shoptest.Log())
	if err := srv.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "create the directory") {
		t.Errorf("got %v, want that the directory does not exist", err)
	}
}

// TestEveryLineOfTheReconcilerHasATrace has orders-svc be away, so that both the payments
// left over and the comparison are logged.
func TestEveryLineOfTheReconcilerHasATrace(t *testing.T) {
	url, log := databasetest.SQLite(t), &logBuffer{}
	record(t, &store{databasetest.Open(t, url, schema, migrations)}, "order")
	srv := New(Config{
		Config: shoptest.Config(), Database: databasetest.Source(t, url), OrdersURL: shoptest.URL(t, "http://127.0.0.1:1"),
		SettleInterval: 20 * time.Millisecond, ReconcileInterval: 20 * time.Millisecond,
	}, slog.New(requestid.LogHandler(slog.NewJSONHandler(log, nil))))
	shoptest.Start(t, srv)
	for _, text := range []string{"cannot settle a payment left over", "cannot compare the payments with the orders"} {
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(log.String(), text); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log does not say %q:\n%s", text, log)
			}
		}
	}
	for line := range strings.Lines(log.String()) {
		var record struct {
			Trace string `json:"trace_id"`
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil || len(record.Trace) != 32 {
			t.Errorf("%v: %s", err, line)
		}
	}
}

// TestTheGatewayLearnsHowAPaymentEnded has orders-svc answer nothing: payments-svc says so
// before a caller as the gateway stops waiting for it.
func TestTheGatewayLearnsHowAPaymentEnded(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // It accepts connections and never answers.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	base := start(t, databasetest.SQLite(t), "http://"+ln.Addr().String(), time.Hour)
	gateway := api.NewPayments(shoptest.URL(t, base))
	t.Cleanup(gateway.Close)
	_, err = gateway.Create(t.Context(), api.Idempotency{}, api.CreatePayment{UserID: "ann", OrderID: uuid.NewString(), Amount: "1"})
	if err == nil || !strings.Contains(err.Error(), "answered 504") {
		t.Errorf("got %v, want the answer 504 of payments-svc", err)
	}
}
