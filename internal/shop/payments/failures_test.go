package payments

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// TestAnUnknownOutcomeRefusesNothing has every attempt to mark the order paid fail until
// the request has to be answered. The last attempt may end for want of time.
func TestAnUnknownOutcomeRefusesNothing(t *testing.T) {
	release := make(chan struct{})
	for name, tc := range map[string]struct {
		next func(string) step
		want []fault.Code
	}{
		"lost":   {func(string) step { return lose }, []fault.Code{fault.Upstream, fault.Timeout}},
		"odd":    {func(string) step { return odd }, []fault.Code{fault.Upstream, fault.Timeout}},
		"silent": {func(string) step { <-release; return odd }, []fault.Code{fault.Timeout}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newTillBefore(t, databasetest.SQLite(t), tc.next)
			if name == "silent" {
				t.Cleanup(func() { close(release) })
			}
			p := newPayment(newOrderOf109(t, l.books.ordersURL))
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // longer than one attempt
			defer cancel()
			if got, err := l.pay(ctx, p); !slices.Contains(tc.want, fault.CodeOf(err)) || got.ID != "" {
				t.Errorf("got %+v, %v; want one of %s", got, err, tc.want)
			}
			l.wantRecord(t, p, pending)
			l.wantAudited(t, p, paid, 0)
			l.wantAudited(t, p, refused, 0)
		})
	}
}

// TestAConflictThatCannotBeExplainedRefusesNothing has orders-svc fail after it has said
// that another payment came first.
func TestAConflictThatCannotBeExplainedRefusesNothing(t *testing.T) {
	l := newTill(t, databasetest.SQLite(t))
	order := newOrderOf109(t, l.books.ordersURL)
	shown := shoptest.Do(t, "GET", l.books.ordersURL+"/orders/"+order, "", "").Want(t, 200).Body
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := http.StatusConflict, `{"detail":"Already Paid"}`
		if r.Method == http.MethodGet {
			status, body = http.StatusOK, shown
			if asked.Add(1) > 1 {
				status, body = http.StatusInternalServerError, `{"detail":"broken"}`
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if _, err := io.WriteString(w, body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(srv.Close)
	l.cashier.orders = api.NewOrders(shoptest.URL(t, srv.URL))
	t.Cleanup(l.cashier.orders.Close)
	p := newPayment(order)
	if got, err := l.pay(t.Context(), p); !fault.Is(err, fault.Upstream) || got.ID != "" {
		t.Errorf("got %+v, %v", got, err)
	}
	l.wantRecord(t, p, pending)
}

// breakStatements makes statements of one kind on the payments fail until the function
// that it returns is called.
func breakStatements(t *testing.T, l *till, kind string) (repair func()) {
	t.Helper()
	exec(t, l.books.payments, `CREATE TRIGGER broken BEFORE `+kind+` ON payments BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	return func() { exec(t, l.books.payments, `DROP TRIGGER broken`) }
}

// TestADatabaseThatFailsDecidesNothing has the database fail at one step. The client is
// told neither that it paid nor that it is refused, and can repeat its request.
func TestADatabaseThatFailsDecidesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		first  []step
		kind   string // of the statements that fail
		status string // of the payment, if it is on record before
		order  string // the status of the order then
	}{
		"recording":            {nil, "INSERT", "", pending},
		"settling":             {nil, "UPDATE", "", paid},
		"withdrawing":          {[]step{stray}, "UPDATE", "", pending},
		"resuming":             {nil, "UPDATE", pending, paid},
		"resuming a refused":   {nil, "UPDATE", refused, pending},
		"settling after a 409": {[]step{conflict}, "UPDATE", "", pending},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTill(t, databasetest.SQLite(t), tc.first...)
			order := newOrderOf109(t, l.books.ordersURL)
			p := newPayment(order)
			if tc.status != "" {
				p = record(t, l.store, order)
			}
			if tc.status == refused {
				settle(t, l.store, p, refused)
			}
			repair := breakStatements(t, l, tc.kind)
			got, err := l.pay(t.Context(), p)
			if code := fault.CodeOf(err); got.ID != "" || code == "" || code == fault.Forbidden || code == fault.NotFound {
				t.Errorf("got %+v, %v; want that nothing is decided", got, err)
			}
			l.wantAudited(t, p, paid, 0)
			l.wantAudited(t, p, refused, 0)
			if got := orderStatus(t, l.books.ordersURL, order); got != tc.order {
				t.Errorf("the order is %s, want %s", got, tc.order)
			}
			repair()
			if got, err := l.pay(t.Context(), p); err != nil || got.ID != p.ID || got.Status != paid {
				t.Errorf("repeated: %+v, %v", got, err)
			}
			l.wantOrder(t, order, paid, p.ID)
		})
	}
}

// TestASecondPaymentIsRefusedOnRecordOrNotAtAll has the database fail when a payment
// has to be refused because another one came first.
func TestASecondPaymentIsRefusedOnRecordOrNotAtAll(t *testing.T) {
	l := newTill(t, databasetest.SQLite(t))
	order := newOrderOf109(t, l.books.ordersURL)
	second := record(t, l.store, order)
	if _, err := l.pay(t.Context(), newPayment(order)); err != nil {
		t.Fatal(err)
	}
	repair := breakStatements(t, l, "UPDATE")
	if _, err := l.settle(t.Context(), second, true); err == nil || fault.Is(err, fault.Forbidden) {
		t.Errorf("got %v, want that the database fails", err)
	}
	l.wantRecord(t, second, pending)
	repair()
	if _, err := l.settle(t.Context(), second, true); !fault.Is(err, fault.Forbidden) {
		t.Errorf("got %v, want a refusal", err)
	}
	l.wantRecord(t, second, refused)
	l.wantAudited(t, second, refused, 1)
}

// TestALostPaymentThatCannotBeRecordedIsNotDenied has the database fail when the payment
// of a paid order is recorded again.
func TestALostPaymentThatCannotBeRecordedIsNotDenied(t *testing.T) {
	l := newTill(t, databasetest.SQLite(t))
	order := newOrderOf109(t, l.books.ordersURL)
	p, err := l.pay(t.Context(), newPayment(order))
	if err != nil {
		t.Fatal(err)
	}
	exec(t, l.books.payments, `DELETE FROM payments`)
	repair := breakStatements(t, l, "INSERT")
	if got, err := l.find(t.Context(), p.ID); err == nil || fault.Is(err, fault.NotFound) || got.ID != "" {
		t.Errorf("got %+v, %v; want that the database fails", got, err)
	}
	repair()
	if got, err := l.find(t.Context(), p.ID); err != nil || got != p {
		t.Errorf("got %+v, %v; want %+v", got, err, p)
	}
}
