//go:build linux

package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
)

// resolve does what a client does that was told nothing: it looks at its order,
// repeats its request, and pays again. Whatever it does, it is told of the one
// payment that the order has, or has from now on.
func (s *shop) resolve(t *testing.T, l *ledger, b books) {
	t.Helper()
	work := make(chan *order)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for o := range work {
				if err := s.resolveOne(t, o); err != nil {
					l.wrong(answerLost, o.id, "order %s: %v", o.id, err)
				}
			}
		})
	}
	known := len(l.wrongs)
	for _, o := range l.orders {
		if _, there := b.orders[o.id]; there {
			work <- o
		}
	}
	close(work)
	all.Wait()
	l.wrongs[known:].report(t)
}

// checkAgain compares the books with those before the clients paid again.
func (s *shop) checkAgain(t *testing.T, l *ledger, b books, excuses ...excuse) {
	t.Helper()
	after, found := s.awaitAgreement(t, agreeWithin, excuses...)
	found.report(t, excuses...)
	for _, o := range l.orders {
		if p := b.paidFor[o.id]; len(p) > 0 && after.payments[p[0].ID] != p[0] {
			t.Errorf("order %s: payment %+v became %+v", o.id, p[0], after.payments[p[0].ID])
		}
	}
}

func (s *shop) resolveOne(t *testing.T, o *order) error {
	url := s.gateway.url() + "/api/v1"
	shown := send(t.Context(), http.MethodGet, url+"/order/"+o.id, o.user.token, "", "")
	var order api.Order
	if err := json.Unmarshal(shown.body, &order); shown.status != http.StatusOK || err != nil {
		return fmt.Errorf("it is not shown: %d %s", shown.status, shown.body)
	}
	if (order.Status == api.StatusPaid) != (order.PaymentID != "") {
		return fmt.Errorf("it is shown as %s", shown.body)
	}
	paid := order.PaymentID
	keys := map[string]bool{"": false} // and whether they were used without the gateway
	for _, a := range o.attempts {
		if a.strange == "" && a.key != "" {
			keys[a.key] = a.direct
		}
	}
	for key, direct := range keys {
		got, err := s.payAgain(t, o, key, direct)
		if err != nil {
			return err
		}
		if paid == "" {
			paid = got
		}
		if got != paid {
			return fmt.Errorf("paid again, with the key %q: by %s, and it was paid by %s", key, got, paid)
		}
	}
	return nil
}

// resolveWithin is how long a client repeats a request.
const resolveWithin = 20 * time.Second

// payAgain repeats a payment, and returns the one that the client is told of.
func (s *shop) payAgain(t *testing.T, o *order, key string, direct bool) (string, error) {
	for until := time.Now().Add(resolveWithin); ; time.Sleep(100 * time.Millisecond) {
		a := s.pay(t.Context(), o, attempt{user: o.user, amount: o.amount, key: key, direct: direct})
		switch {
		case a.status == http.StatusOK:
			p, err := a.payment()
			return p.ID, err
		case a.status == http.StatusForbidden && a.paymentID() != "":
			return a.paymentID(), nil
		case time.Now().Before(until) && (a.status == 0 || a.status == http.StatusConflict || a.status > http.StatusInternalServerError):
			// A crash left the key taken, for some seconds, or writers wait for SQLite's lock.
		default:
			return "", fmt.Errorf("paid again, with the key %q: %d %s", key, a.status, a.body)
		}
	}
}
