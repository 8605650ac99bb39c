package payments

import (
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// TestAnOrderIsCorrectedBeforeItsSecondPaymentIsRefused has an order that names the
// second of two payments, and orders-svc fail when it shall name the first one.
func TestAnOrderIsCorrectedBeforeItsSecondPaymentIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		l := newTill(t, url, odd)
		order := newOrderOf109(t, l.books.ordersURL)
		first, second := record(t, l.store, order), record(t, l.store, order)
		settle(t, l.store, first, paid)
		shoptest.Do(t, "PATCH", l.books.ordersURL+"/orders/"+order+"/status?status=paid&payment_id="+second.ID, "", "").Want(t, 200)
		if got, err := l.find(t.Context(), second.ID); !fault.Is(err, fault.Upstream) || got.ID != "" {
			t.Errorf("orders-svc failed: %+v, %v", got, err)
		}
		l.wantRecord(t, second, pending)
		l.wantOrder(t, order, paid, second.ID)
		if got, err := l.find(t.Context(), second.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("corrected: %+v, %v", got, err)
		}
		l.wantRecord(t, first, paid)
		l.wantRecord(t, second, refused)
		l.wantOrder(t, order, paid, first.ID)
		l.wantAudited(t, second, refused, 1)
		l.wantAudited(t, first, paid, 0) // It was paid before.
	})
}

// withoutOrders leads the till to an orders-svc that is away.
func (l *till) withoutOrders(t *testing.T) {
	l.cashier.orders = api.NewOrders(shoptest.URL(t, "http://127.0.0.1:1"))
	t.Cleanup(l.cashier.orders.Close)
}

// TestNoPaymentIsUnknownBecauseASideIsAway looks for payments without orders-svc, and
// then without the database.
func TestNoPaymentIsUnknownBecauseASideIsAway(t *testing.T) {
	l := newTill(t, databasetest.SQLite(t))
	order := newOrderOf109(t, l.books.ordersURL)
	good, err := l.pay(t.Context(), newPayment(order))
	if err != nil {
		t.Fatal(err)
	}
	left := record(t, l.store, newOrderOf109(t, l.books.ordersURL))
	l.withoutOrders(t)
	if got, err := l.find(t.Context(), good.ID); err != nil || got != good {
		t.Errorf("a payment on record: %+v, %v", got, err)
	}
	for _, id := range []string{left.ID, uuid.NewString()} {
		if got, err := l.find(t.Context(), id); !fault.Is(err, fault.Upstream) {
			t.Errorf("without orders-svc: %+v, %v", got, err)
		}
	}
	if err := l.books.payments.Close(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{good.ID, left.ID, uuid.NewString()} {
		if got, err := l.find(t.Context(), id); err == nil || fault.Is(err, fault.NotFound) {
			t.Errorf("without a database: %+v, %v", got, err)
		}
	}
}

// TestNothingIsComparedWithOneSideOnly compares without orders-svc, and without the
// database: what is not seen is not lost.
func TestNothingIsComparedWithOneSideOnly(t *testing.T) {
	l := newTill(t, databasetest.SQLite(t))
	order := newOrderOf109(t, l.books.ordersURL)
	if _, err := l.pay(t.Context(), newPayment(order)); err != nil {
		t.Fatal(err)
	}
	l.lines.Reset()
	working := l.cashier.orders
	l.withoutOrders(t)
	if next, err := l.comparePage(t.Context(), ""); err == nil {
		t.Errorf("without orders-svc: next is %q", next)
	}
	l.cashier.orders = working
	if err := l.books.payments.Close(); err != nil {
		t.Fatal(err)
	}
	if next, err := l.comparePage(t.Context(), ""); err == nil {
		t.Errorf("without a database: next is %q", next)
	}
	if l.lines.Len() > 0 {
		t.Errorf("the log says %s", l.lines)
	}
}

// TestASecondPaymentThatCannotBeRefusedIsAnError has the database fail when the order
// names its first payment already.
func TestASecondPaymentThatCannotBeRefusedIsAnError(t *testing.T) {
	l := newTill(t, databasetest.SQLite(t))
	order := newOrderOf109(t, l.books.ordersURL)
	first, second := record(t, l.store, order), record(t, l.store, order)
	settle(t, l.store, first, paid)
	shoptest.Do(t, "PATCH", l.books.ordersURL+"/orders/"+order+"/status?status=paid&payment_id="+second.ID, "", "").Want(t, 200)
	exec(t, l.books.payments, `CREATE TRIGGER broken BEFORE UPDATE ON payments WHEN NEW.status = 'refused' BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	if got, err := l.find(t.Context(), second.ID); err == nil || fault.Is(err, fault.NotFound) || got.ID != "" {
		t.Errorf("got %+v, %v; want that the database fails", got, err)
	}
	l.wantOrder(t, order, paid, first.ID)
	l.wantRecord(t, second, pending)
	l.wantAudited(t, second, refused, 0)
}

// TestALostPaymentThatCannotBeRestoredIsNeitherShownNorPaidAgain loses the payment of an
// order without an amount, and of one that names what cannot be a payment.
func TestALostPaymentThatCannotBeRestoredIsNeitherShownNorPaidAgain(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		for _, change := range []string{`amount = NULL`, `payment_id = 'p'`} {
			l := newTill(t, url)
			order := newOrderOf109(t, l.books.ordersURL)
			p, err := l.pay(t.Context(), newPayment(order))
			if err != nil {
				t.Fatal(err)
			}
			exec(t, l.books.payments, `DELETE FROM payments`)
			exec(t, l.books.orders, `UPDATE orders SET `+change+` WHERE id = $1`, order)
			if got, err := l.find(t.Context(), p.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("after %s: found %+v, %v", change, got, err)
			}
			again := newPayment(order)
			if got, err := l.pay(t.Context(), again); !fault.Is(err, fault.Forbidden) || got.ID != "" {
				t.Errorf("after %s: paid again: %+v, %v", change, got, err)
			}
			l.wantRecord(t, again, "")
			l.wantRecord(t, api.Payment{ID: "p"}, "")
		}
	})
}
