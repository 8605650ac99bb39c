package payments

import (
	"context"
	"errors"
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
// and orders-svc accepts one payment per order, told apart by their ids; so
// every step may be repeated, by whoever finds it unfinished.
type cashier struct {
	store  *store
	orders api.Orders
	log    *slog.Logger
	named  *recent.Map[struct{}] // the differences that were named
	by     string                // who decides, for the audit log: byRequest or byReconciler
}

// decide gives a payment its final status. It reports false if the payment does not
// have the old status any more.
func (c *cashier) decide(ctx context.Context, p api.Payment, old, status string) (decided bool, err error) {
	decided, err = c.store.settle(ctx, p.ID, old, status)
	if err == nil && decided { // Another replica may have come first.
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
		taken, err := c.paidAlready(ctx, order, p)
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
		return c.goOn(ctx, order, p)
	}
	return c.settle(ctx, p, false)
}

// check compares a payment with its order. What another user ordered does not
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

// goOn pays for an order that is not paid although a payment for it is on record:
// an earlier attempt that was not finished, or one that the orders have lost.
func (c *cashier) goOn(ctx context.Context, order api.Order, p api.Payment) (api.Payment, error) {
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
			return c.paidAlready(ctx, order, p)
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
	return c.paidAlready(ctx, order, p)
}

// settle marks the order paid by the payment and gives the payment its final
// status. When orders-svc's answer stays unknown the payment stays pending.
func (c *cashier) settle(ctx context.Context, p api.Payment, leftOver bool) (api.Payment, error) {
	order, err := c.markPaid(ctx, p, leftOver)
	switch {
	case err == nil:
		order.PaymentID = p.ID
		if decided, err := c.decide(ctx, p, pending, paid); err == nil && decided {
			p.Status = paid
			return p, nil
		}
		return c.accept(ctx, order) // It finds out why, or fails likewise.
	case fault.Is(err, fault.Conflict):
		return c.lost(ctx, p)
	case fault.Is(err, fault.NotFound):
		return api.Payment{}, c.withdraw(ctx, p, err)
	default:
		return api.Payment{}, err
	}
}

// markPaid repeats the step until orders-svc accepts or refuses it or ctx ends.
//
// Two answers are a refusal: that another payment came first, and that there is
// no such order, unless an earlier attempt of which nothing is known may have
// found it. Any other may hide that such an attempt succeeded. Of a payment that
// is left over, nothing is known of any earlier attempt.
func (c *cashier) markPaid(ctx context.Context, p api.Payment, leftOver bool) (api.Order, error) {
	for unknown := leftOver; ; unknown = true {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		order, err := c.orders.MarkPaid(attempt, p.OrderID, p.ID)
		cancel()
		switch code := fault.CodeOf(err); {
		case code == "", code == fault.Conflict, code == fault.Internal, code == fault.NotFound && !unknown:
			return order, err
		case code != fault.Upstream && code != fault.Timeout:
			err = fault.Wrap(err, fault.Upstream, "orders-svc failed")
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

// lost refuses a payment whose order another one paid, as the order says.
func (c *cashier) lost(ctx context.Context, p api.Payment) (api.Payment, error) {
	order, err := c.orders.Get(ctx, p.OrderID)
	switch {
	case err != nil:
		return api.Payment{}, fault.Wrap(err, fault.Upstream, "orders-svc failed")
	case order.Status != paid:
		return api.Payment{}, fault.Wrap(errors.New("it refuses a payment and calls the order unpaid"), fault.Upstream, "orders-svc failed")
	case order.PaymentID == p.ID:
		return c.accept(ctx, order)
	}
	if _, err := c.decide(ctx, p, pending, refused); err != nil {
		return api.Payment{}, err
	}
	return c.paidAlready(ctx, order, p)
}

// withdraw refuses a payment whose order orders-svc does not have.
func (c *cashier) withdraw(ctx context.Context, p api.Payment, reason error) error {
	withdrawn, err := c.store.withdraw(ctx, p.ID)
	if err == nil && !withdrawn { // Another replica took it for left over, and may have found the order.
		err = fault.Wrap(reason, fault.Upstream, "orders-svc failed")
	}
	if err != nil {
		return err
	}
	c.audit(ctx, p, refused)
	return reason
}

// paidAlready answers for a payment whose order is paid: it is the one that paid,
// or it is refused. Who paid the order themselves learns by which payment.
func (c *cashier) paidAlready(ctx context.Context, order api.Order, p api.Payment) (api.Payment, error) {
	if order.PaymentID == "" {
		return api.Payment{}, errPaid(nil)
	}
	winner, err := c.accept(ctx, order)
	switch {
	case fault.Is(err, fault.NotFound):
		return api.Payment{}, errPaid(err)
	case err != nil || winner.ID == p.ID:
		return winner, err
	case winner.UserID != p.UserID:
		return api.Payment{}, errPaid(nil)
	}
	return api.Payment{}, errPaid(nil).With(fault.PaymentID, winner.ID)
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

func errPaid(cause error) *fault.Error { return fault.Wrap(cause, fault.Forbidden, "Already Paid") }
