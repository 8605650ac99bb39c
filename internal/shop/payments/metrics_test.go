package payments

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// The settlements of the reconciler are counted, and are in the audit log.
func TestReconcilerIsMeasured(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL, logged := startOrders(t, databasetest.For(url, "orders")), &logBuffer{}
		s := &store{databasetest.Open(t, url, schema, migrations)}
		l := newLeftOvers(t, s, ordersURL, logged)
		if age := s.oldestAge(); age != 0 {
			t.Errorf("without a payment: %v", age)
		}
		taken := newOrder(t, ordersURL)
		shoptest.Do(t, "PATCH", ordersURL+"/orders/"+taken+"/status?status=paid&payment_id=other", "", "").Want(t, 200)
		for _, order := range []string{newOrder(t, ordersURL), taken} {
			record(t, s, order)
		}
		time.Sleep(2 * time.Millisecond) // It is measured in milliseconds.
		if age := s.oldestAge(); age <= 0 || age > 60 {
			t.Errorf("the oldest payment: %v", age)
		}
		l.round(t.Context(), 0)
		if paid, refused, failed := l.counts.paid.Load(), l.counts.refused.Load(), l.counts.failed.Load(); paid != 1 || refused != 1 || failed != 0 {
			t.Errorf("%d paid, %d refused, %d failed", paid, refused, failed)
		}
		for _, outcome := range []string{"paid", "refused"} {
			line := `msg="payment ` + outcome + `" audit.payment_id=`
			end := " audit.amount=109.08 audit.outcome=" + outcome + " audit.decided_by=reconciler"
			if strings.Count(logged.String(), line) != 1 || strings.Count(logged.String(), end) != 1 {
				t.Errorf("the log has not one line %s%s:\n%s", line, end, logged)
			}
		}
		record(t, s, "nope")
		l.round(t.Context(), 0)
		if failed := l.counts.failed.Load(); failed != 1 {
			t.Errorf("%d failed", failed)
		}
		if err := s.db.Close(); err != nil {
			t.Fatal(err)
		}
		if age := s.oldestAge(); !math.IsNaN(age) {
			t.Errorf("without a database: %v", age)
		}
	})
}
