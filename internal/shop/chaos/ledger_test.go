//go:build linux

package chaos

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/money"
)

// attempt is one attempt to pay, and what the client was told.
type attempt struct {
	user    user
	key     string // Idempotency-Key
	amount  money.Amount
	direct  bool          // without the gateway
	begin   time.Duration // after the first one
	hangUp  time.Duration // after the request; 0 means never
	strange string        // why it must not succeed

	status  int // 0 means that the client was told nothing
	payment api.Payment
}

// order is an order that a client was told about.
type order struct {
	id       string
	user     user
	amount   money.Amount
	asked    time.Time // when the client first asked for it
	opened   time.Time // when the client was told of it
	attempts []attempt
}

// ledger is what the clients have done and were told.
type ledger struct {
	count atomic.Int64 // attempts

	mu     sync.Mutex
	orders []*order
	under  map[*order]bool // that are being paid
	wrongs findings        // what clients noticed themselves
}

func (l *ledger) open(o *order) *order {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.orders = append(l.orders, o)
	return o
}

func (l *ledger) note(o *order, a attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.attempts = append(o.attempts, a)
}

func (l *ledger) wrong(k kind, order, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrongs.add(k, order, format, args...)
}

// underWay returns the orders that are being paid.
func (l *ledger) underWay() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for o := range l.under {
		ids = append(ids, o.id)
	}
	return ids
}

func (l *ledger) setUnderWay(o *order, is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if is {
		l.under[o] = true
	} else {
		delete(l.under, o)
	}
}

// clients is how many order and pay at the same time.
const clients = 16

// mostFailures bounds how many orders a client tries in vain: a shop that is broken
// for good must not be tried for ever.
const mostFailures = 100

// serve has clients make the attempts, and returns what became of them.
func (s *shop) serve(ctx context.Context, l *ledger, h habits, attempts int) {
	var all sync.WaitGroup
	for i := range clients {
		c := &client{shop: s, ledger: l, habits: h, random: s.random(), user: s.users[i%len(s.users)], other: s.users[(i+1)%len(s.users)]}
		all.Go(func() {
			for failed := 0; l.count.Load() < int64(attempts) && ctx.Err() == nil; {
				if o := c.order(ctx); o != nil {
					c.payFor(ctx, o)
					failed = 0
				} else if failed++; failed > mostFailures {
					l.wrong(answerLost, "", "a client cannot order anything")
					return
				}
			}
		})
	}
	all.Wait()
}

// payFor makes the attempts to pay for an order, some of them at the same time.
func (c *client) payFor(ctx context.Context, o *order) {
	c.ledger.setUnderWay(o, true)
	defer c.ledger.setUnderWay(o, false)
	var all sync.WaitGroup
	for _, a := range c.plan(o) {
		c.ledger.count.Add(1)
		all.Go(func() {
			time.Sleep(a.begin)
			c.attempt(ctx, o, a)
		})
	}
	all.Wait()
	for _, a := range o.attempts {
		if a.status == http.StatusOK && !a.direct && a.key != "" {
			c.paid = a.key
		}
	}
}

// told sums up the statuses of the answers.
func (l *ledger) told() string {
	statuses := map[int]int{}
	for _, o := range l.orders {
		for _, a := range o.attempts {
			statuses[a.status]++
		}
	}
	return fmt.Sprintf("%d orders, %d attempts, by their status %v", len(l.orders), l.count.Load(), statuses)
}
