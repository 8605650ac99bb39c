package payments

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// till is a cashier with a log of its own, and the books of its payments.
type till struct {
	*cashier
	books *books
	lines *bytes.Buffer
}

// newTill returns a till whose attempts to mark orders paid meet these steps first.
func newTill(t *testing.T, url string, first ...step) *till {
	t.Helper()
	return newTillBefore(t, url, steps(first...))
}

func newTillBefore(t *testing.T, url string, next func(order string) step) *till {
	t.Helper()
	b := newBooks(t, url)
	c, lines := *b.cashier, &bytes.Buffer{}
	c.log = slog.New(slog.NewTextHandler(lines, nil))
	c.orders = api.NewOrders(shoptest.URL(t, newBetween(t, b.ordersURL, next).url))
	t.Cleanup(c.orders.Close)
	return &till{cashier: &c, books: b, lines: lines}
}

// newPayment returns a payment of ann that is not on record.
func newPayment(order string) api.Payment {
	return api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: order, Amount: 10908}
}

// wantAudited wants so many lines that say that the payment was paid or refused.
func (l *till) wantAudited(t *testing.T, p api.Payment, outcome string, times int) {
	t.Helper()
	if n := strings.Count(l.lines.String(), `"payment `+outcome+`" audit.payment_id=`+p.ID); n != times {
		t.Errorf("the log has %d lines that %s was %s, want %d:\n%s", n, p.ID, outcome, times, l.lines)
	}
}

// wantRecord wants that the payment is on record with the status, or not if that is "".
func (l *till) wantRecord(t *testing.T, p api.Payment, status string) {
	t.Helper()
	got, err := l.store.get(t.Context(), p.ID)
	if err != nil && !fault.Is(err, fault.NotFound) || got.Status != status {
		t.Errorf("on record is %+v, %v; want the status %q", got, err, status)
	}
}

// wantOrder wants the status of an order and the payment that it names.
func (l *till) wantOrder(t *testing.T, order, status, payment string) {
	t.Helper()
	var got api.Order
	shoptest.Do(t, "GET", l.books.ordersURL+"/orders/"+order, "", "").Want(t, 200).Into(t, &got)
	if got.Status != status || got.PaymentID != payment {
		t.Errorf("the order is %+v, want it %s by %q", got, status, payment)
	}
}

// memberOf returns a member of the answer that an error makes, or "".
func memberOf(err error, name string) string {
	var e *fault.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Members[name]
}
