//go:build linux

package chaos

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"
)

// tooLate matches the log's line of a payment that took 3 s or more: then it may
// end, by its deadline, before it is settled.
var tooLate = regexp.MustCompile(`"POST","path":"/payments".*"took":([3-9]|\d\d)\d{9},`)

// mostTooLate is the share of the attempts that may be too late on a slow machine.
const mostTooLate = 0.1

// mends matches the log's lines about repairs.
var mends = regexp.MustCompile(`"mend(ed|ing): `)

// lostAnswers loses answers, has somebody else answer 404, and clients hang up.
// Nothing but the requests themselves repairs anything: the intervals are an hour.
func lostAnswers(t *testing.T, s scene) {
	shop := openShop(t, s, "SETTLE_INTERVAL=1h", "RECONCILE_INTERVAL=1h")
	shop.orders.marking = odds{lose: 0.4, stray: 0.5, delay: 0.5, longest: 60 * time.Millisecond}
	l := &ledger{under: map[*order]bool{}}
	shop.serve(t.Context(), l, habits{most: 2, within: 20 * time.Millisecond, hangUp: 0.4, patient: 250 * time.Millisecond, strange: true}, s.attempts)
	b, found := shop.awaitAgreement(t, 10*time.Second)
	found.report(t, lateExcuse(len(shop.logged(t, tooLate)), s.attempts))
	append(l.breaches(b), l.winners()...).report(t)
	if mended := shop.logged(t, mends); len(mended) > 0 {
		t.Errorf("nothing was lost, and the log has %d lines such as %s", len(mended), mended[0])
	}
	shop.calm()
	shop.resolve(t, l, b)
	shop.settleSoon(t) // Now there is no excuse any more.
	shop.checkAgain(t, l, b)
	t.Logf("%s; %d faults", l.told(), shop.orders.faults.Load())
}

// lateExcuse covers as many payments that are not settled as there were payments too
// late. They must be few, and settled in the end: lostAnswers sees to that.
func lateExcuse(late, attempts int) excuse {
	return excuse{name: "this machine is too slow", of: notSettled, most: min(late, int(mostTooLate*float64(attempts)))}
}

// settleSoon starts payments-svc again such that it settles what is left over.
func (s *shop) settleSoon(t *testing.T) {
	t.Helper()
	for _, p := range s.payments.replicas {
		p.env = append(slices.Clip(p.env), "SETTLE_INTERVAL=1s") // The last one counts.
		if err := errors.Join(p.kill(), p.start()); err != nil {
			t.Fatal(err)
		}
	}
}

// setBackEvery is how often orders are set back.
const setBackEvery = 200 * time.Millisecond

// ordersSetBack sets orders back to pending while payments for them are under way,
// as a backup that is restored does.
func ordersSetBack(t *testing.T, s scene) {
	shop := openShop(t, s, "SETTLE_INTERVAL=1s", "RECONCILE_INTERVAL=1s")
	shop.orders.marking = odds{lose: 0.4, delay: 1, longest: 300 * time.Millisecond}
	l := &ledger{under: map[*order]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var back sync.WaitGroup
	n := 0
	back.Go(func() { n = shop.setBack(ctx, t, l) })
	shop.serve(t.Context(), l, habits{most: 8, within: 400 * time.Millisecond}, s.attempts)
	stop()
	back.Wait()
	shop.calm()
	b, found := shop.awaitAgreement(t, agreeWithin)
	append(found, l.breaches(b)...).report(t)
	shop.resolve(t, l, b)
	shop.checkAgain(t, l, b)
	t.Logf("%s; %d orders set back", l.told(), n)
}

// setBack sets the paid ones among the orders under way back to pending, now and
// then, and returns how many.
func (s *shop) setBack(ctx context.Context, t *testing.T, l *ledger) (n int) {
	db, err := s.openData(t.Context(), "orders")
	if err != nil {
		t.Error(err)
		return 0
	}
	defer db.Close()
	for {
		select {
		case <-time.After(setBackEvery):
		case <-ctx.Done():
			return n
		}
		for _, id := range l.underWay() {
			result, err := db.ExecContext(t.Context(), `UPDATE orders SET status = 'pending', payment_id = NULL WHERE id = $1 AND status = 'paid'`, id)
			if err != nil {
				t.Error(err)
				return n
			}
			changed, err := result.RowsAffected()
			if err != nil {
				t.Error(err)
				return n
			}
			n += int(changed)
		}
	}
}

// badDay breaks whatever can break, with payments-svc as it is: what is left over
// is settled by itself.
func badDay(t *testing.T, s scene) {
	shop := openShop(t, s, "RECONCILE_INTERVAL=1s") // so that the books are compared within the test
	shop.orders.marking = odds{lose: 0.1, drop: 0.05, stray: 0.3, delay: 0.3, longest: 200 * time.Millisecond}
	shop.orders.others = odds{lose: 0.03, drop: 0.03, delay: 0.2, longest: 100 * time.Millisecond}
	shop.payments.others = shop.orders.others
	l := &ledger{under: map[*order]bool{}}
	d := &day{shop: shop, t: t, processes: s.random(), databases: s.random(), done: map[string]int{}}
	ctx, evening := context.WithCancel(t.Context())
	var faults sync.WaitGroup
	faults.Go(func() { d.run(ctx, l, s.attempts) })
	begin := time.Now()
	shop.serve(t.Context(), l, habits{most: 4, within: 300 * time.Millisecond, hangUp: 0.2, patient: time.Second, strange: true}, s.attempts)
	evening()
	faults.Wait()
	shop.calm()
	t.Logf("the day took %v: %s; %d faults of the network, %v", time.Since(begin).Round(time.Second), l.told(), shop.orders.faults.Load()+shop.payments.faults.Load(), d.done)
	restored := d.restores.excuse(l)
	b, found := shop.awaitAgreement(t, agreeWithin, restored)
	append(found, l.breaches(b)...).report(t, restored)
	shop.checkLost(t, l, b)
	shop.resolve(t, l, b)
	shop.checkAgain(t, l, b, restored)
}

// checkLost checks that each payment is named whose order a restored backup has lost.
func (s *shop) checkLost(t *testing.T, l *ledger, b books) {
	t.Helper()
	var lost, named, taken int
	for _, o := range l.orders {
		if _, there := b.orders[o.id]; there {
			continue
		}
		lost++
		if len(b.paidFor[o.id]) == 0 {
			continue
		}
		taken++
		pattern := regexp.MustCompile(`"a payment was taken for an order that is not there".*` + o.id)
		for until := time.Now().Add(agreeWithin); len(s.logged(t, pattern)) == 0; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(until) {
				t.Errorf("nothing was said about the lost order %s", o.id)
				return
			}
		}
		named++
	}
	t.Logf("%d repairs; the restored backups had lost %d orders; %d of them were paid for, and %d of those named", len(s.logged(t, mends)), lost, taken, named)
}
