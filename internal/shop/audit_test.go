package shop_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/shoptest/logs"
)

// What is decided about a payment is one line in the log. It says what was paid, and
// nothing about the customer.
func TestAuditOfPayments(t *testing.T) {
	lines := &logs.Buffer{}
	s := &shop{database: databasetest.SQLite(t), config: shoptest.Config, log: slog.New(requestid.LogHandler(slog.NewJSONHandler(lines, nil)))}
	s.start(t)
	ann, gate := s.signUp(t, "ann"), s.gateway.URL()+"/api/v1"
	order := shoptest.Do(t, "POST", gate+"/order/create", ann.token, loafersAndSunglasses).Want(t, 200).Member(t, "order.id")
	body := fmt.Sprintf(`{"order_id":%q,"amount":109.08}`, order)
	paid := shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, body).Want(t, 200)
	again := shoptest.Do(t, "POST", gate+"/payments/pay", ann.token, body).Want(t, 403)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	type decision struct {
		Payment string `json:"payment_id"`
		Order   string `json:"order_id"`
		Amount  string
		Outcome string
		By      string `json:"decided_by"`
	}
	var got []decision
	var requests []string
	for line := range strings.Lines(lines.String()) {
		record := struct {
			Time, Level, Service string
			Request              string `json:"request_id"`
			Trace                string `json:"trace_id"`
			Audit                *decision
		}{}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if record.Audit == nil {
			continue
		}
		if record.Time == "" || record.Level != "INFO" || record.Service != "payments-svc" || len(record.Trace) != 32 {
			t.Errorf("%s", line)
		}
		for _, personal := range []string{ann.id, "ann@example.com", ann.token} {
			if strings.Contains(line, personal) {
				t.Errorf("%s is in %s", personal, line)
			}
		}
		got, requests = append(got, *record.Audit), append(requests, record.Request)
	}
	want := []decision{{paid.Member(t, "id"), order, "109.08", "paid", "request"}, {"another", order, "109.08", "refused", "request"}}
	if len(got) == 2 && got[1].Payment != got[0].Payment && got[1].Payment != "" {
		got[1].Payment = "another" // It has an id of its own, which nobody was told.
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if want := []string{paid.Header.Get("X-Request-Id"), again.Header.Get("X-Request-Id")}; fmt.Sprint(requests) != fmt.Sprint(want) {
		t.Errorf("of the requests %q, want %q", requests, want)
	}
}
