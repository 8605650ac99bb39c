package payments

import (
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

// TestRestoringBearsAnyUniqueIndex restores a payment that is on record, and one whose
// order was paid by another payment meanwhile.
func TestRestoringBearsAnyUniqueIndex(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := &store{databasetest.Open(t, url, schema, migrations)}
		first := api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: uuid.NewString(), Amount: 10908, Status: paid}
		second := first
		second.ID = uuid.NewString()
		for _, tc := range []struct {
			p    api.Payment
			want bool
		}{{first, true}, {first, false}, {second, false}} {
			if restored, err := s.restore(t.Context(), tc.p); err != nil || restored != tc.want {
				t.Errorf("restored: %v, %v; want %v", restored, err, tc.want)
			}
		}
		if got, err := s.paidFor(t.Context(), first.OrderID); err != nil || got != first {
			t.Errorf("%+v, %v; want %+v", got, err, first)
		}
	})
}

// TestAPaymentThatIsRecordedMeanwhileIsNotRestored takes a payment for lost, which another
// replica records just then.
func TestAPaymentThatIsRecordedMeanwhileIsNotRestored(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		for _, status := range []string{pending, paid} {
			log := &logBuffer{}
			c := newCashier(t, &store{databasetest.Open(t, url, schema, migrations)}, ordersURL, log)
			p := record(t, c.store, newOrderOf109(t, ordersURL))
			order, err := c.orders.MarkPaid(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			audited := 1
			if status == paid {
				settle(t, c.store, p, paid)
				audited = 0 // by this replica
			}
			for range 2 {
				if got, err := c.restorePayment(t.Context(), order); err != nil || got.ID != p.ID || got.Status != paid {
					t.Errorf("%s: %+v, %v", status, got, err)
				}
			}
			if got, err := c.store.get(t.Context(), p.ID); err != nil || got.Status != paid {
				t.Errorf("%s: %+v, %v; want it paid", status, got, err)
			}
			log.wantLine(t, "audit.payment_id", audited)
			log.wantLine(t, "mended", 0)
		}
	})
}
