package payments

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func TestAnAnswerThatIsLostIsAskedForAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		steps    []step
		status   int
		attempts int
	}{
		"lost twice":                       {[]step{lose, lose}, 200, 3},
		"not found at first":               {[]step{stray}, 404, 1},
		"not found after one was lost":     {[]step{lose, stray}, 200, 3},
		"odd":                              {[]step{odd}, 200, 2},
		"refused although it was accepted": {[]step{lose, conflict}, 200, 2},
		"refused although it is not paid":  {[]step{conflict}, 502, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ordersURL := startOrders(t, databasetest.SQLite(t))
			b := newBetween(t, ordersURL, steps(tc.steps...))
			base := start(t, databasetest.SQLite(t), b.url, time.Hour)
			order := newOrder(t, ordersURL)
			shoptest.Do(t, "POST", base+"/payments", "", payment(order)).Want(t, tc.status)
			if n := b.attempts(order); n != tc.attempts {
				t.Errorf("%d attempts, want %d", n, tc.attempts)
			}
			if got, want := orderStatus(t, ordersURL, order) == paid, tc.status == 200; got != want {
				t.Errorf("the order is paid: %v, want %v", got, want)
			}
		})
	}
}

func TestAClientThatHangsUpIsServed(t *testing.T) {
	ordersURL := startOrders(t, databasetest.SQLite(t))
	tried, goOn := make(chan struct{}), make(chan struct{})
	var first sync.Once
	b := newBetween(t, ordersURL, func(string) step {
		next := pass
		first.Do(func() {
			close(tried)
			<-goOn
			next = lose // so that a second attempt is needed
		})
		return next
	})
	url := databasetest.SQLite(t)
	base := start(t, url, b.url, time.Hour)
	order := newOrder(t, ordersURL)

	ctx, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/payments", strings.NewReader(payment(order)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	go func() {
		<-tried
		hangUp()
		close(goOn)
	}()
	if res, err := http.DefaultClient.Do(req); err == nil {
		t.Errorf("the request was answered: %v", res.Status)
		res.Body.Close()
	}
	s := &store{databasetest.Open(t, url, schema, migrations)}
	awaitPending(t, s, 0)
	if _, err := s.paidFor(t.Context(), order); err != nil {
		t.Error(err)
	}
}

func TestAnOrderThatIsPaidHasItsPayment(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ordersURL := startOrders(t, databasetest.For(url, "orders"))
		s := &store{databasetest.Open(t, url, schema, migrations)}
		base := start(t, url, ordersURL, time.Hour)
		for _, status := range []string{pending, refused} {
			order := newOrder(t, ordersURL)
			p := record(t, s, order)
			if status == refused {
				settle(t, s, p, refused)
			}
			path := base + "/payments/" + p.ID
			shoptest.Do(t, "GET", path, "", "").WantDetail(t, 404, "Payment not found")
			shoptest.Do(t, "PATCH", ordersURL+"/orders/"+order+"/status?status=paid&payment_id="+p.ID, "", "").Want(t, 200)
			shoptest.Do(t, "GET", path, "", "").Want(t, 200)
			if got := shoptest.Do(t, "POST", base+"/payments", "", payment(order)).Want(t, 403); got.Member(t, "payment_id") != p.ID {
				t.Error(got.Body)
			}
		}
	})
}

func TestAFinalStatusStays(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := &store{databasetest.Open(t, url, schema, migrations)}
		for _, final := range []string{paid, refused} {
			p := record(t, s, "order "+final)
			settle(t, s, p, final)
			for _, other := range []string{paid, refused} {
				if settled, err := s.settle(t.Context(), p.ID, pending, other); err != nil || settled {
					t.Errorf("settled as %s after %s: %v, %v", other, final, settled, err)
				}
			}
			if withdrawn, err := s.withdraw(t.Context(), p.ID); err != nil || withdrawn {
				t.Errorf("withdrawn after %s: %v, %v", final, withdrawn, err)
			}
			if claimed, err := s.claim(t.Context(), p.ID); err != nil || claimed {
				t.Errorf("claimed after %s: %v, %v", final, claimed, err)
			}
			if got, err := s.get(t.Context(), p.ID); err != nil || got.Status != final {
				t.Errorf("%+v, %v; want %s", got, err, final)
			}
		}
	})
}

func TestAPaymentLeftOverIsNotWithdrawn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := &store{databasetest.Open(t, url, schema, migrations)}
		p := record(t, s, "order")
		if claimed, err := s.claim(t.Context(), p.ID); err != nil || !claimed {
			t.Fatal(claimed, err)
		}
		if withdrawn, err := s.withdraw(t.Context(), p.ID); err != nil || withdrawn {
			t.Errorf("withdrawn: %v, %v", withdrawn, err)
		}
	})
}
