package payments

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/recent"
	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/shoptest/logs"
)

func newCashier(t *testing.T, s *store, ordersURL string, log io.Writer) *cashier {
	t.Helper()
	client := api.NewOrders(shoptest.URL(t, ordersURL))
	t.Cleanup(client.Close)
	return &cashier{store: s, orders: client, log: slog.New(slog.NewTextHandler(log, nil)), named: recent.NewMap[struct{}](named), by: byReconciler}
}

// logBuffer is a log that a test compares with what it wants.
type logBuffer struct{ logs.Buffer }

// wantLine wants a text in the log so many times.
func (b *logBuffer) wantLine(t *testing.T, text string, times int) {
	t.Helper()
	if n := b.Count(text); n != times {
		t.Errorf("%q is %d times in the log, want %d:\n%s", text, n, times, b.String())
	}
}

// wantAudit wants one audit line about the payment, with the outcome.
func (b *logBuffer) wantAudit(t *testing.T, id, outcome string) {
	t.Helper()
	b.wantLine(t, `"payment `+outcome+`" audit.payment_id=`+id, 1)
	b.wantLine(t, `audit.payment_id=`+id, 1)
}

// TestAPaidOrderHasTheAmountOfItsPayment pays for an order in the seed's form, which has
// no amount.
func TestAPaidOrderHasTheAmountOfItsPayment(t *testing.T) {
	b := newBooks(t, databasetest.SQLite(t))
	order := newOrder(t, b.ordersURL)
	b.pay(t, order).Want(t, 200)
	path := b.ordersURL + "/orders/" + order
	shoptest.Do(t, "PATCH", path+"/amount", "", `{"amount":89.89}`).Want(t, 200)
	if got := shoptest.Do(t, "GET", path, "", "").Want(t, 200); !strings.Contains(got.Body, `"amount":109.08`) {
		t.Errorf("the order is %s, and 109.08 was paid", got.Body)
	}
	b.compare(t)
	if logged := b.log.String(); logged != "" {
		t.Errorf("nothing differs, and the log says %s", logged)
	}
}

// TestAnOrderThatWasRestoredWithAnotherAmountIsNotPaidAgain pays again for an order whose
// backup has no payment and another amount.
func TestAnOrderThatWasRestoredWithAnotherAmountIsNotPaidAgain(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBooks(t, url)
		order := newOrderOf109(t, b.ordersURL)
		b.pay(t, order).Want(t, 200)
		exec(t, b.orders, `UPDATE orders SET status = 'pending', payment_id = NULL, amount = 500 WHERE id = $1`, order)
		for range 2 {
			_, err := b.cashier.pay(t.Context(), api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: order, Amount: 500})
			if !fault.Is(err, fault.Forbidden) {
				t.Errorf("got %v, want that the order is paid", err)
			}
			b.compare(t)
		}
		if got := orderStatus(t, b.ordersURL, order); got != pending {
			t.Errorf("the order is %s, and its payment is of another amount", got)
		}
		b.log.wantLine(t, otherUserOrAmount, 1)
	})
}

// TestAnOrderThatNamesThePaymentOfAnotherOrder damages two orders: one has a payment of
// its own, and one has none.
func TestAnOrderThatNamesThePaymentOfAnotherOrder(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBooks(t, url)
		other := record(t, b.store, newOrderOf109(t, b.ordersURL))
		with, without := newOrderOf109(t, b.ordersURL), newOrderOf109(t, b.ordersURL)
		id := b.pay(t, with).Want(t, 200).Member(t, "id")
		for _, order := range []string{with, without} {
			exec(t, b.orders, `UPDATE orders SET status = 'paid', payment_id = $2 WHERE id = $1`, order, other.ID)
		}
		for range 2 {
			b.compare(t)
		}
		if got := shoptest.Do(t, "GET", b.ordersURL+"/orders/"+with, "", "").Want(t, 200).Member(t, "payment_id"); got != id {
			t.Errorf("the order names payment %s, want %s", got, id)
		}
		shoptest.Do(t, "GET", b.base+"/payments/"+other.ID, "", "").WantDetail(t, 404, "Payment not found")
		if got, err := b.store.get(t.Context(), other.ID); err != nil || got.Status != pending {
			t.Errorf("the other payment is %+v, %v", got, err)
		}
		b.log.wantLine(t, ofAnotherOrder, 1)
	})
}

// TestADifferenceIsLoggedOnce has several goroutines find the same difference.
func TestADifferenceIsLoggedOnce(t *testing.T) {
	log := &logBuffer{}
	c := newCashier(t, nil, "http://127.0.0.1:1", log)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { c.logDifference(t.Context(), withoutOrder, "o", "p") })
	}
	all.Wait()
	log.wantLine(t, withoutOrder, 1)
}
