package payments

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
)

// TestADecisionIsAuditedOnce pays, and is refused for each reason.
func TestADecisionIsAuditedOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		l := newTill(t, url, pass, stray)
		order, other := newOrderOf109(t, l.books.ordersURL), newOrderOf109(t, l.books.ordersURL)
		good, again, dear, bobs, lost := newPayment(order), newPayment(order), newPayment(order), newPayment(order), newPayment(other)
		dear.Amount++
		bobs.UserID = "bob"
		for _, tc := range []struct {
			p       api.Payment
			want    fault.Code
			record  string
			outcome string
		}{
			{dear, fault.BadRequest, "", refused},
			{bobs, fault.NotFound, "", refused},
			{good, "", paid, paid},
			{again, fault.Forbidden, "", refused},
			{lost, fault.NotFound, refused, refused},
		} {
			if got, err := l.pay(t.Context(), tc.p); fault.CodeOf(err) != tc.want || (err == nil) != (got.Status == paid) {
				t.Errorf("%+v: got %+v, %v; want %q", tc.p, got, err, tc.want)
			}
			l.wantRecord(t, tc.p, tc.record)
			l.wantAudited(t, tc.p, tc.outcome, 1)
		}
		if n := strings.Count(l.lines.String(), "audit.payment_id="); n != 5 {
			t.Errorf("%d decisions are in the log, want 5:\n%s", n, l.lines)
		}
		l.wantOrder(t, order, paid, good.ID)
		l.wantOrder(t, other, pending, "")
	})
}

// TestADecisionOfAnotherReplicaIsNotAudited has two replicas settle a payment.
func TestADecisionOfAnotherReplicaIsNotAudited(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		l := newTill(t, url)
		p := record(t, l.store, "order")
		settle(t, l.store, p, paid)
		if decided, err := l.decide(t.Context(), p, pending, paid); err != nil || decided {
			t.Errorf("decided again: %v, %v", decided, err)
		}
		l.wantAudited(t, p, paid, 0)
	})
}

// TestWhoPaidIsToldTheirPaymentOnly has an order that another user's payment paid, as
// only a mistake can make it, and one that was set to paid by hand.
func TestWhoPaidIsToldTheirPaymentOnly(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		l := newTill(t, url)
		for _, tc := range []struct {
			change string
			named  bool
		}{
			{`UPDATE payments SET user_id = user_id WHERE order_id = $1`, true},
			{`UPDATE payments SET user_id = 'bob' WHERE order_id = $1`, false},
			{`DELETE FROM payments WHERE order_id = $1`, false},
		} {
			order := newOrderOf109(t, l.books.ordersURL)
			first, err := l.pay(t.Context(), newPayment(order))
			if err != nil {
				t.Fatal(err)
			}
			exec(t, l.books.payments, tc.change, order)
			if strings.HasPrefix(tc.change, "DELETE") {
				exec(t, l.books.orders, `UPDATE orders SET payment_id = NULL WHERE id = $1`, order)
			}
			got, err := l.pay(t.Context(), newPayment(order))
			if !fault.Is(err, fault.Forbidden) || got.ID != "" {
				t.Errorf("after %s: %+v, %v; want a refusal", tc.change, got, err)
			}
			if named := memberOf(err, fault.PaymentID); (named == first.ID) != tc.named || !tc.named && named != "" {
				t.Errorf("after %s: the refusal names payment %q", tc.change, named)
			}
		}
	})
}

// TestARepeatedPaymentIsResumed repeats the request of a payment that is on record,
// which a crash left pending, or which was refused when there was no such order.
func TestARepeatedPaymentIsResumed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		for _, status := range []string{pending, refused} {
			l := newTill(t, url, stray)
			order := newOrderOf109(t, l.books.ordersURL)
			p := record(t, l.store, order)
			if status == refused {
				settle(t, l.store, p, refused)
			}
			// Nothing is known about the first request: a 404 is no refusal.
			if got, err := l.pay(t.Context(), p); !fault.Is(err, fault.Upstream) {
				t.Errorf("somebody else answered 404: %+v, %v", got, err)
			}
			l.wantRecord(t, p, pending)
			l.wantOrder(t, order, pending, "")
			for range 2 {
				if got, err := l.pay(t.Context(), p); err != nil || got.ID != p.ID || got.Status != paid {
					t.Errorf("after %s: got %+v, %v", status, got, err)
				}
			}
			l.wantRecord(t, p, paid)
			l.wantOrder(t, order, paid, p.ID)
			l.wantAudited(t, p, paid, 1)
			l.wantAudited(t, p, refused, 0)
		}
	})
}

// TestAPaidOrderThatWasRestoredIsNamed pays again for an order that has lost its payment.
func TestAPaidOrderThatWasRestoredIsNamed(t *testing.T) {
	l := newTill(t, databasetest.SQLite(t))
	order := newOrderOf109(t, l.books.ordersURL)
	first, err := l.pay(t.Context(), newPayment(order))
	if err != nil {
		t.Fatal(err)
	}
	exec(t, l.books.orders, `UPDATE orders SET status = 'pending', payment_id = NULL WHERE id = $1`, order)
	second := newPayment(order)
	if _, err := l.pay(t.Context(), second); !fault.Is(err, fault.Forbidden) || memberOf(err, fault.PaymentID) != first.ID {
		t.Errorf("got %v, want a refusal that names %s", err, first.ID)
	}
	l.wantRecord(t, second, "")
	l.wantOrder(t, order, paid, first.ID)
	if n := strings.Count(l.lines.String(), "the order has lost its payment"); n != 1 {
		t.Errorf("the log says %d times that the order had lost its payment:\n%s", n, l.lines)
	}
}
