package payments

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

// record puts a payment of ann on record, as a request does before it goes on.
func record(t *testing.T, s *store, order string) api.Payment {
	t.Helper()
	p := api.Payment{ID: uuid.NewString(), UserID: "ann", OrderID: order, Amount: 10908, Status: pending}
	if created, err := s.create(t.Context(), p); err != nil || !created {
		t.Fatal(created, err)
	}
	return p
}

func settle(t *testing.T, s *store, p api.Payment, status string) {
	t.Helper()
	if settled, err := s.settle(t.Context(), p.ID, pending, status); err != nil || !settled {
		t.Fatal(settled, err)
	}
}

// awaitPending waits until only so many payments are pending.
func awaitPending(t *testing.T, s *store, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		left, err := s.pendingSince(t.Context(), time.Now(), api.Payment{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d are still pending, as %+v", len(left), left[0])
		}
	}
}

func TestPaymentsLeftOverAreSettled(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		s := &store{databasetest.Open(t, url, schema, migrations)}
		order, taken := newOrder(t, ordersURL), newOrder(t, ordersURL)
		shoptest.Do(t, "PATCH", ordersURL+"/orders/"+taken+"/status?status=paid&payment_id=other", "", "").Want(t, 200)

		// As a crash leaves them: on record, and without a request that goes on with them.
		left, late, lost := record(t, s, order), record(t, s, taken), record(t, s, "nope")
		replicas := []string{start(t, url, ordersURL, 20*time.Millisecond), start(t, url, ordersURL, 20*time.Millisecond)}
		awaitPending(t, s, 1) // It is unknown whether the order of the lost one was there once.
		for _, base := range replicas {
			shoptest.Do(t, "GET", base+"/payments/"+left.ID, "", "").Want(t, 200)
			shoptest.Do(t, "GET", base+"/payments/"+late.ID, "", "").Want(t, 404)
			shoptest.Do(t, "GET", base+"/payments/"+lost.ID, "", "").Want(t, 404)
		}
		if got := orderStatus(t, ordersURL, order); got != "paid" {
			t.Errorf("the order is %s", got)
		}
	})
}

// TestAStrayRefusalOfAPaymentLeftOverMeansNothing lets another server answer for
// orders-svc for a while. The payment's order is paid, but its answer was lost.
func TestAStrayRefusalOfAPaymentLeftOverMeansNothing(t *testing.T) {
	for name, kind := range map[string]step{"not found": stray, "odd": odd, "refused": conflict} {
		t.Run(name, func(t *testing.T) {
			ordersURL := startOrders(t, databasetest.SQLite(t))
			url := databasetest.SQLite(t)
			s := &store{databasetest.Open(t, url, schema, migrations)}
			order := newOrder(t, ordersURL)
			p := record(t, s, order)
			shoptest.Do(t, "PATCH", ordersURL+"/orders/"+order+"/status?status=paid&payment_id="+p.ID, "", "").Want(t, 200)
			b := newBetween(t, ordersURL, steps(kind, kind, kind))
			base := start(t, url, b.url, 20*time.Millisecond)
			awaitPending(t, s, 0)
			shoptest.Do(t, "GET", base+"/payments/"+p.ID, "", "").Want(t, 200)
			if got, err := s.paidFor(t.Context(), order); err != nil || got.ID != p.ID {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestPaymentsThatAlwaysFailStarveNoOther leaves more behind than are read at a
// time, before the one that can be settled. All fail at first.
func TestPaymentsThatAlwaysFailStarveNoOther(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		s := &store{databasetest.Open(t, url, schema, migrations)}
		for range page + 50 {
			record(t, s, uuid.NewString())
		}
		good := newOrder(t, ordersURL)
		record(t, s, good)
		var down atomic.Bool
		down.Store(true)
		b := newBetween(t, ordersURL, func(string) step {
			if down.Load() {
				return stray
			}
			return pass
		})
		start(t, url, b.url, 20*time.Millisecond)
		for b.attempts(good) < 2 {
			time.Sleep(time.Millisecond)
		}
		down.Store(false)
		awaitPending(t, s, page+50)
	})
}

func TestClientThatIsToldNothingIsChargedOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	ordersURL := startOrders(t, databasetest.SQLite(t))
	var broken atomic.Bool
	broken.Store(true)
	b := newBetween(t, ordersURL, func(string) step {
		if broken.Load() {
			return lose
		}
		return pass
	})
	url := databasetest.SQLite(t)
	base := start(t, url, b.url, 50*time.Millisecond)
	order := newOrder(t, ordersURL)
	begin := time.Now()
	if got := shoptest.Do(t, "POST", base+"/payments", "", payment(order)); got.Status != 502 && got.Status != 504 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("the answer took %v", took)
	}
	broken.Store(false)
	awaitPending(t, &store{databasetest.Open(t, url, schema, migrations)}, 0)
	shoptest.Do(t, "POST", base+"/payments", "", payment(order)).WantDetail(t, 403, "Already Paid")
}
