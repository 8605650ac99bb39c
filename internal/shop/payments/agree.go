package payments

import (
	"context"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/fault"
)

// find returns a paid payment, or fault.NotFound. One that is on record as
// anything else, or not at all, is paid if orders-svc has an order paid by it: so
// nobody sees an order that is paid and no payment for it.
func (c *cashier) find(ctx context.Context, id string) (api.Payment, error) {
	p, err := c.store.get(ctx, id)
	if err == nil && p.Status == paid || err != nil && !fault.Is(err, fault.NotFound) {
		return p, err
	}
	if uuid.Validate(id) != nil {
		return api.Payment{}, errUnknown()
	}
	order, err := c.orders.PaidBy(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return api.Payment{}, errUnknown()
	}
	if err != nil {
		return api.Payment{}, err
	}
	order.PaymentID = id
	if p, err = c.accept(ctx, order); err == nil && p.ID != id {
		err = errUnknown()
	}
	return p, err
}

// accept makes the payments agree with a paid order and returns the payment that
// paid for it. That is another one than the order names if that one was taken
// before; then the order is made to agree. It returns fault.NotFound if the
// payment is lost and cannot be restored.
func (c *cashier) accept(ctx context.Context, order api.Order) (api.Payment, error) {
	p, err := c.store.get(ctx, order.PaymentID)
	if fault.Is(err, fault.NotFound) {
		return c.restore(ctx, order)
	}
	if err != nil || p.Status == paid {
		return p, err
	}
	return c.take(ctx, order, p)
}

// take makes the payment that a paid order names a paid one. It was read as another.
func (c *cashier) take(ctx context.Context, order api.Order, p api.Payment) (api.Payment, error) {
	settled, err := c.decide(ctx, p, p.Status, paid)
	switch {
	case database.IsUnique(err):
		return c.correct(ctx, order, p)
	case err != nil:
		return api.Payment{}, err
	case !settled: // by this replica: another one did it at the same time, or refused it
		return c.accept(ctx, order)
	case p.Status == refused:
		c.log.WarnContext(ctx, "mended: a payment was refused, and its order paid", "order", order.ID, "payment", p.ID)
	}
	p.Status = paid
	return p, nil
}

// restore records the payment of a paid order again, unless another one was taken
// for the order. What was paid is known if the order has an amount.
func (c *cashier) restore(ctx context.Context, order api.Order) (api.Payment, error) {
	p := api.Payment{ID: order.PaymentID, UserID: order.UserID, OrderID: order.ID, Status: paid}
	if _, err := c.store.paidFor(ctx, order.ID); !fault.Is(err, fault.NotFound) {
		if err != nil {
			return api.Payment{}, err
		}
		return c.correct(ctx, order, p)
	}
	if order.Amount == nil || uuid.Validate(p.ID) != nil {
		c.differ(ctx, "the payment of a paid order is lost, and nobody knows its amount", order.ID, p.ID)
		return api.Payment{}, errUnknown()
	}
	p.Amount = *order.Amount
	if err := c.store.restore(ctx, p); err != nil {
		return api.Payment{}, err
	}
	c.audit(ctx, p, paid)
	c.log.WarnContext(ctx, "mended: the payment of a paid order was lost", "order", order.ID, "payment", p.ID)
	return p, nil
}

// correct makes an order name the payment that was taken for it before the one
// that it names, and refuses the latter.
func (c *cashier) correct(ctx context.Context, order api.Order, second api.Payment) (api.Payment, error) {
	first, err := c.store.paidFor(ctx, order.ID)
	if err != nil {
		return api.Payment{}, err
	}
	if _, err := c.orders.ReplacePayment(ctx, order.ID, second.ID, first.ID); err != nil {
		return api.Payment{}, fault.Wrap(err, fault.Upstream, "orders-svc failed")
	}
	if _, err := c.decide(ctx, second, pending, refused); err != nil {
		return api.Payment{}, err
	}
	c.log.WarnContext(ctx, "mended: an order named a second payment", "order", order.ID, "payment", first.ID, "refused", second.ID)
	return first, nil
}

// differ names a difference between payments and orders that only a person can
// mend, once.
func (c *cashier) differ(ctx context.Context, what, orderID, paymentID string) {
	if _, known := c.named.Get(orderID + what); known {
		return
	}
	c.named.Put(orderID+what, struct{}{})
	c.log.ErrorContext(ctx, what, "order", orderID, "payment", paymentID)
}
