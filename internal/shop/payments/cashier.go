package payments

import (
	"context"
	"log/slog"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
)

const (
	attemptTimeout = 1500 * time.Millisecond // of one attempt to mark an order paid
	attemptPause   = 100 * time.Millisecond  // between attempts
	settleTimeout  = 3 * time.Second         // of all attempts for a payment left over
	batch          = 100                     // payments left over that are settled at a time
)

// cashier takes payments. A payment is on record before the order is touched,
// and orders-svc accepts one payment per order, told apart by their ids; so
// every step may be repeated, by whoever finds it unfinished.
type cashier struct {
	store  *store
	orders api.Orders
	log    *slog.Logger
}

// pay pays for the order.
func (c *cashier) pay(ctx context.Context, userID, orderID string, amount money.Amount) (api.Payment, error) {
	order, err := c.orders.Get(ctx, orderID)
	if err != nil {
		return api.Payment{}, err
	}
	if order.Status == api.StatusPaid {
		return api.Payment{}, errPaid(nil)
	}
	p, err := c.store.create(ctx, userID, orderID, amount)
	if err != nil {
		return api.Payment{}, err
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	if err := c.settle(ctx, p); err != nil {
		return api.Payment{}, err
	}
	p.Status = api.StatusPaid
	return p, nil
}

// settle marks the order paid by the payment and gives the payment its final
// status. When orders-svc's answer stays unknown the payment stays pending.
func (c *cashier) settle(ctx context.Context, p api.Payment) error {
	err := c.markPaid(ctx, p)
	switch fault.CodeOf(err) {
	case "":
		return c.store.settle(ctx, p.ID, api.StatusPaid)
	case fault.Upstream, fault.Timeout, fault.Internal:
		return err
	}
	if settleErr := c.store.settle(ctx, p.ID, refused); settleErr != nil {
		return settleErr
	}
	if fault.Is(err, fault.Conflict) {
		return errPaid(err)
	}
	return err
}

// markPaid repeats the step until orders-svc accepts or refuses it or ctx ends.
//
// Two answers are a refusal: that another payment came first, and that there is
// no such order, unless an earlier attempt of which nothing is known may have
// found it. Any other may hide that such an attempt succeeded.
func (c *cashier) markPaid(ctx context.Context, p api.Payment) error {
	for first := true; ; first = false {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		_, err := c.orders.MarkPaid(attempt, p.OrderID, p.ID)
		cancel()
		switch code := fault.CodeOf(err); {
		case code == "", code == fault.Conflict, code == fault.Internal, code == fault.NotFound && first:
			return err
		case code != fault.Upstream && code != fault.Timeout:
			err = fault.Wrap(err, fault.Upstream, "orders-svc failed")
		}
		select {
		case <-time.After(attemptPause):
		case <-ctx.Done():
			return err
		}
	}
}

// settleLeftOvers settles, at once and then every interval, the payments that
// a crash or an unreachable orders-svc left pending for an interval. Replicas
// may do so at the same time.
func (c *cashier) settleLeftOvers(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		c.settleBatch(ctx, time.Now().Add(-interval))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *cashier) settleBatch(ctx context.Context, since time.Time) {
	pendingCtx, cancel := context.WithTimeout(ctx, settleTimeout)
	left, err := c.store.pending(pendingCtx, since, batch)
	cancel()
	if err != nil {
		c.log.WarnContext(ctx, "cannot look for payments left over", "error", err.Error())
		return
	}
	for _, p := range left {
		if ctx.Err() != nil {
			return
		}
		settleCtx, cancel := context.WithTimeout(ctx, settleTimeout)
		err := c.settle(settleCtx, p)
		cancel()
		switch fault.CodeOf(err) {
		case "":
			c.log.InfoContext(ctx, "settled a payment left over", "payment", p.ID)
		case fault.Upstream, fault.Timeout, fault.Internal:
			c.log.WarnContext(ctx, "cannot settle a payment left over", "payment", p.ID, "error", err.Error())
		default:
			c.log.InfoContext(ctx, "refused a payment left over", "payment", p.ID, "reason", err.Error())
		}
	}
}

// uncancelled keeps the deadline of ctx but not its cancellation: a client that
// hangs up must not leave its payment half done.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	detached := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(detached, deadline)
	}
	return context.WithTimeout(detached, settleTimeout)
}

func errPaid(cause error) error { return fault.Wrap(cause, fault.Forbidden, "Already Paid") }
