package payments

import (
	"context"
	"log/slog"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/recent"
)

const (
	attemptTimeout = 1500 * time.Millisecond // of one attempt to mark an order paid
	attemptPause   = 100 * time.Millisecond  // between attempts
	settleTimeout  = 3 * time.Second         // of all attempts of a request without a deadline
)

// cashier takes payments. A payment is on record before the order is touched,
// and orders-svc accepts one payment per order, told apart by their ids. So every
// step may be repeated, by any replica that finds it unfinished.
type cashier struct {
	store  *store
	orders api.Orders
	log    *slog.Logger
	named  *recent.Map[struct{}] // the differences that were logged
	by     string                // who decides, for the audit log: byRequest or byReconciler
}

// decide gives a payment its final status and writes its audit line. It reports
// false if the payment does not have the old status any more.
func (c *cashier) decide(ctx context.Context, p api.Payment, old, status string) (decided bool, err error) {
	decided, err = c.store.settle(ctx, p.ID, old, status)
	if err == nil && decided { // Otherwise another replica has decided, and has audited it.
		c.audit(ctx, p, status)
	}
	return decided, err
}

// pay carries out a new payment, or goes on with one that has the same id.
func (c *cashier) pay(ctx context.Context, p api.Payment) (api.Payment, error) {
	order, err := c.orders.Get(ctx, p.OrderID)
	if err != nil {
		return api.Payment{}, err
	}
	if err := check(order, p); err != nil {
		c.audit(ctx, p, refused)
		return api.Payment{}, err
	}
	ctx, cancel := uncancelled(ctx)
	defer cancel()
	if order.Status == paid {
		taken, err := c.answerForPaidOrder(ctx, order, p)
		if fault.Is(err, fault.Forbidden) {
			c.audit(ctx, p, refused)
		}
		return taken, err
	}
	p.Status = pending
	created, err := c.store.create(ctx, p)
	if err != nil {
		return api.Payment{}, err
	}
	if !created {
		return c.continuePayment(ctx, order, p)
	}
	return c.settle(ctx, p, false)
}

// check compares a payment with its order. An order of another user does not
// exist for the payer. An order without an amount takes any.
func check(order api.Order, p api.Payment) error {
	if order.UserID != p.UserID {
		return fault.New(fault.NotFound, "Order not found")
	}
	if order.Amount != nil && *order.Amount != p.Amount {
		return fault.New(fault.BadRequest, "Invalid Amount")
	}
	return nil
}

// continuePayment pays for an order that is not paid although a payment for it is on
// record: an earlier attempt was not finished, or orders-svc has lost the payment.
func (c *cashier) continuePayment(ctx context.Context, order api.Order, p api.Payment) (api.Payment, error) {
	earlier, err := c.store.paidFor(ctx, p.OrderID)
	if fault.Is(err, fault.NotFound) {
		earlier, err = c.store.get(ctx, p.ID)
	}
	if err != nil {
		return api.Payment{}, err
	}
	switch earlier.Status {
	case paid:
		// Perhaps it was paid just after the order was read.
		if order, err = c.orders.Get(ctx, p.OrderID); err != nil {
			return api.Payment{}, err
		}
		if order.Status == paid {
			return c.answerForPaidOrder(ctx, order, p)
		}
		if check(order, earlier) != nil {
			c.logDifference(ctx, otherUserOrAmount, p.OrderID, earlier.ID)
			return api.Payment{}, errPaid(nil)
		}
		c.log.WarnContext(ctx, "mending: the order has lost its payment", "order", p.OrderID, "payment", earlier.ID)
	case refused: // There was no such order then.
		if _, err := c.store.settle(ctx, earlier.ID, refused, pending); err != nil {
			return api.Payment{}, err
		}
	}
	settled, err := c.settle(ctx, earlier, true)
	if err != nil || settled.ID == p.ID {
		return settled, err
	}
	order.PaymentID = settled.ID
	return c.answerForPaidOrder(ctx, order, p)
}

// settle marks the order paid by the payment and gives the payment its final
// status. While orders-svc's answer is unknown, the payment stays pending.
func (c *cashier) settle(ctx context.Context, p api.Payment, leftOver bool) (api.Payment, error) {
	order, err := c.markPaid(ctx, p, leftOver)
	switch {
	case err == nil:
		order.PaymentID = p.ID
		if decided, err := c.decide(ctx, p, pending, paid); err == nil && decided {
			p.Status = paid
			return p, nil
		}
		return c.reconcilePayment(ctx, order) // It finds out why, or fails likewise.
	case fault.Is(err, fault.Conflict):
		return c.resolveConflict(ctx, p)
	case fault.Is(err, fault.NotFound):
		return api.Payment{}, c.refuseWithoutOrder(ctx, p, err)
	default:
		return api.Payment{}, err
	}
}

// markPaid repeats the step until orders-svc accepts or refuses it or ctx ends.
//
// Two answers are a refusal. The first is a conflict: another payment came first, or
// the order has another amount. The second is that there is no such order, but only
// while no earlier attempt has an unknown outcome: such an attempt may have found the
// order. After any other answer the outcome is unknown. If the payment is left over,
// the outcome of its earlier attempts is unknown too.
func (c *cashier) markPaid(ctx context.Context, p api.Payment, leftOver bool) (api.Order, error) {
	for unknown := leftOver; ; unknown = true {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		order, err := c.orders.MarkPaid(attempt, p)
		cancel()
		switch code := fault.CodeOf(err); {
		case code == "", code == fault.Conflict, code == fault.Internal, code == fault.NotFound && !unknown:
			return order, err
		case code != fault.Upstream && code != fault.Timeout:
			err = upstream(err)
		}
		if leftOver {
			return api.Order{}, err // The next round tries again.
		}
		select {
		case <-time.After(attemptPause):
		case <-ctx.Done():
			return api.Order{}, err
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

// upstream says that orders-svc failed, without its reason.
func upstream(cause error) error { return fault.Wrap(cause, fault.Upstream, "orders-svc failed") }
