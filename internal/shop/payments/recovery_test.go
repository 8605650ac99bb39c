package payments

import (
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func newLeftOvers(t *testing.T, s *store, ordersURL string, log io.Writer) *leftOvers {
	t.Helper()
	return &leftOvers{cashier: newCashier(t, s, ordersURL, log), counts: &settlements{}}
}

// TestPaymentsAreSettledInTheRoundsAfterAnOutage has orders-svc recover in the middle of
// a round: some payments fail in it, and others do not.
func TestPaymentsAreSettledInTheRoundsAfterAnOutage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		s := &store{databasetest.Open(t, url, schema, migrations)}
		const left, outage = 3 * atOnce, 12
		for range left {
			record(t, s, newOrder(t, ordersURL))
		}
		exec(t, s.db, `UPDATE payments SET created_at = 0`)
		var failing atomic.Int64
		failing.Store(outage*left + left/2)
		b := newBetween(t, ordersURL, func(string) step {
			if failing.Add(-1) >= 0 {
				return stray
			}
			return pass
		})
		l := newLeftOvers(t, s, b.url, io.Discard)
		const interval = time.Minute // A payment that waits at all waits longer than the test runs.
		for range outage {
			l.round(t.Context(), interval)
		}
		if failed := l.counts.failed.Load(); failed != outage*left {
			t.Fatalf("%d attempts failed in the outage, want %d", failed, outage*left)
		}
		for range 2 {
			l.round(t.Context(), interval)
		}
		if paid := l.counts.paid.Load(); paid != left {
			t.Errorf("%d of %d payments are settled two rounds after orders-svc recovered", paid, left)
		}
	})
}

// TestAPaymentThatWasSettledBeforeIsNoSuccess has another replica settle a payment after
// this one has listed it: that says nothing about orders-svc.
func TestAPaymentThatWasSettledBeforeIsNoSuccess(t *testing.T) {
	ordersURL := startOrders(t, databasetest.SQLite(t))
	s := &store{databasetest.Open(t, databasetest.SQLite(t), schema, migrations)}
	done, failing := record(t, s, newOrder(t, ordersURL)), record(t, s, "nope")
	settle(t, s, done, paid)
	l := newLeftOvers(t, s, ordersURL, io.Discard)
	errs, settled := l.settleDue(t.Context(), []api.Payment{done, failing})
	if settled != 0 || len(errs) != 1 || errs[failing.ID] == nil {
		t.Errorf("%d settled, errors %v", settled, errs)
	}
}

// TestAPaymentThatFailsAloneIsTriedLessOften has one payment that always fails while
// others are settled.
func TestAPaymentThatFailsAloneIsTriedLessOften(t *testing.T) {
	ordersURL := startOrders(t, databasetest.SQLite(t))
	s := &store{databasetest.Open(t, databasetest.SQLite(t), schema, migrations)}
	bad := record(t, s, "nope")
	l := newLeftOvers(t, s, ordersURL, io.Discard)
	const rounds = 6
	for range rounds {
		record(t, s, newOrder(t, ordersURL))
		exec(t, s.db, `UPDATE payments SET created_at = 0`)
		l.round(t.Context(), time.Minute)
	}
	if f := l.failed[bad.ID]; f.attempts != 2 || f.alone != 2 {
		t.Errorf("%d attempts failed, %d of them alone; want 2, and then a pause", f.attempts, f.alone)
	}
	if paid := l.counts.paid.Load(); paid != rounds {
		t.Errorf("%d other payments were settled, want %d", paid, rounds)
	}
}

func TestThePauseOfAPaymentThatFails(t *testing.T) {
	for alone, want := range []time.Duration{0, 0, time.Second, 2 * time.Second, 4 * time.Second} {
		if got := pause(alone, time.Second); got != want {
			t.Errorf("after %d failures: %v, want %v", alone, got, want)
		}
	}
	for _, interval := range []time.Duration{time.Second, time.Hour} {
		if got := pause(1000, interval); got != longestPause {
			t.Errorf("with an interval of %v: %v, want %v", interval, got, longestPause)
		}
	}
}

// TestASecondPaymentLeftOverCountsAsRefused has an order that is paid by a second
// payment: the first one counts.
func TestASecondPaymentLeftOverCountsAsRefused(t *testing.T) {
	ordersURL := startOrders(t, databasetest.SQLite(t))
	s := &store{databasetest.Open(t, databasetest.SQLite(t), schema, migrations)}
	order := newOrder(t, ordersURL)
	first, second := record(t, s, order), record(t, s, order)
	settle(t, s, first, paid)
	shoptest.Do(t, "PATCH", ordersURL+"/orders/"+order+"/status?status=paid&payment_id="+second.ID, "", "").Want(t, 200)
	l := newLeftOvers(t, s, ordersURL, io.Discard)
	l.round(t.Context(), 0)
	if paid, refused := l.counts.paid.Load(), l.counts.refused.Load(); paid != 0 || refused != 1 {
		t.Errorf("%d paid, %d refused; want one refused", paid, refused)
	}
}

func TestAPaymentOfAnotherAmountThanItsOrderIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		s := &store{databasetest.Open(t, url, schema, migrations)}
		order := newOrder(t, ordersURL)
		p := record(t, s, order) // of 109.08
		shoptest.Do(t, "PATCH", ordersURL+"/orders/"+order+"/amount", "", `{"amount":89.89}`).Want(t, 200)
		l := newLeftOvers(t, s, ordersURL, io.Discard)
		l.round(t.Context(), 0)
		if got, err := s.get(t.Context(), p.ID); err != nil || got.Status != refused || l.counts.refused.Load() != 1 {
			t.Errorf("%+v, %v; want it refused", got, err)
		}
		if got := orderStatus(t, ordersURL, order); got != pending {
			t.Errorf("the order is %s", got)
		}
	})
}

// TestAPaymentWithoutAnOrderExpires leaves payments behind whose orders are lost.
func TestAPaymentWithoutAnOrderExpires(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		s := &store{databasetest.Open(t, url, schema, migrations)}
		log := &logBuffer{}
		l := newLeftOvers(t, s, ordersURL, log)
		old, young, withOrder := record(t, s, uuid.NewString()), record(t, s, uuid.NewString()), record(t, s, newOrder(t, ordersURL))
		exec(t, s.db, `UPDATE payments SET created_at = 0 WHERE id <> $1`, young.ID)
		for range 2 {
			l.expireSince(t.Context(), time.Now().Add(-expiry))
		}
		for p, want := range map[api.Payment]string{old: refused, young: pending, withOrder: pending} {
			if got, err := s.get(t.Context(), p.ID); err != nil || got.Status != want {
				t.Errorf("%+v, %v; want it %s", got, err, want)
			}
		}
		log.wantAudit(t, old.ID, refused)
	})
}

// TestOrdersSvcThatIsAwayExpiresNothing has every answer about orders fail.
func TestOrdersSvcThatIsAwayExpiresNothing(t *testing.T) {
	s := &store{databasetest.Open(t, databasetest.SQLite(t), schema, migrations)}
	p := record(t, s, uuid.NewString())
	log := &logBuffer{}
	l := newLeftOvers(t, s, "http://127.0.0.1:1", log)
	l.expireSince(t.Context(), time.Now().Add(time.Hour))
	if got, err := s.get(t.Context(), p.ID); err != nil || got.Status != pending {
		t.Errorf("%+v, %v; want it pending", got, err)
	}
	log.wantLine(t, "cannot expire payments left over", 1)
}
