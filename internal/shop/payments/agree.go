package payments

import (
	"context"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/fault"
)

// Differences between payments and orders that only a person can resolve.
const (
	withoutOrder      = "a payment was taken for an order that is not there"
	withoutPayment    = "an order was set to paid without a payment"
	unknownAmount     = "the payment of a paid order is lost, and its amount is unknown"
	otherUserOrAmount = "a payment has another user or amount than its order"
	ofAnotherOrder    = "a paid order names the payment of another order"
)

// find returns a paid payment, or fault.NotFound. If the payment is not on record as
// paid, it asks orders-svc whether an order was paid by it, and records that: so a
// client that sees a paid order sees its payment too.
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
	if p, err = c.reconcilePayment(ctx, order); err == nil && p.ID != id {
		err = errUnknown()
	}
	return p, err
}

// reconcilePayment makes the payments agree with a paid order, and returns the
// payment that paid for it. If another payment for the order was taken before the
// one that the order names, it makes the order name that one. It returns
// fault.NotFound if the payment is lost and cannot be restored.
func (c *cashier) reconcilePayment(ctx context.Context, order api.Order) (api.Payment, error) {
	p, err := c.store.get(ctx, order.PaymentID)
	switch {
	case fault.Is(err, fault.NotFound):
		return c.restorePayment(ctx, order)
	case err != nil:
		return api.Payment{}, err
	case p.OrderID != order.ID:
		first, err := c.nameFirstPayment(ctx, order, p)
		if fault.Is(err, fault.NotFound) {
			c.logDifference(ctx, ofAnotherOrder, order.ID, p.ID)
		}
		return first, err
	case p.Status == paid:
		return p, nil
	}
	return c.recordAsPaid(ctx, order, p)
}

// recordAsPaid records a payment as paid that a paid order names. It was read with
// another status.
func (c *cashier) recordAsPaid(ctx context.Context, order api.Order, p api.Payment) (api.Payment, error) {
	decided, err := c.decide(ctx, p, p.Status, paid)
	switch {
	case database.IsUnique(err):
		return c.nameFirstPayment(ctx, order, p)
	case err != nil:
		return api.Payment{}, err
	case !decided: // Another replica has recorded it as paid at the same time, or refused it.
		return c.reconcilePayment(ctx, order)
	case p.Status == refused:
		c.log.WarnContext(ctx, "mended: a payment was refused, and its order paid", "order", order.ID, "payment", p.ID)
	}
	p.Status = paid
	return p, nil
}

// restorePayment records the payment of a paid order again, unless another one was
// taken for the order. The amount is known if the order has one.
func (c *cashier) restorePayment(ctx context.Context, order api.Order) (api.Payment, error) {
	p := api.Payment{ID: order.PaymentID, UserID: order.UserID, OrderID: order.ID, Status: paid}
	if _, err := c.store.paidFor(ctx, order.ID); !fault.Is(err, fault.NotFound) {
		if err != nil {
			return api.Payment{}, err
		}
		return c.nameFirstPayment(ctx, order, p)
	}
	if order.Amount == nil || uuid.Validate(p.ID) != nil {
		c.logDifference(ctx, unknownAmount, order.ID, p.ID)
		return api.Payment{}, errUnknown()
	}
	p.Amount = *order.Amount
	restored, err := c.store.restore(ctx, p)
	if err != nil {
		return api.Payment{}, err
	}
	if !restored { // This payment, or another one for the order, was recorded meanwhile.
		return c.reconcilePayment(ctx, order)
	}
	c.audit(ctx, p, paid)
	c.log.WarnContext(ctx, "mended: the payment of a paid order was lost", "order", order.ID, "payment", p.ID)
	return p, nil
}

// nameFirstPayment makes a paid order name the payment that was taken for it first,
// instead of a second one, which it refuses. It returns fault.NotFound if no payment
// was taken for the order.
func (c *cashier) nameFirstPayment(ctx context.Context, order api.Order, second api.Payment) (api.Payment, error) {
	first, err := c.store.paidFor(ctx, order.ID)
	if err != nil || first.ID == second.ID { // Another replica has recorded it as paid meanwhile.
		return first, err
	}
	if _, err := c.orders.ReplacePayment(ctx, order.ID, second.ID, first.ID); err != nil {
		return api.Payment{}, upstream(err)
	}
	if second.OrderID == order.ID {
		if _, err := c.decide(ctx, second, pending, refused); err != nil {
			return api.Payment{}, err
		}
	}
	c.log.WarnContext(ctx, "mended: an order named a second payment", "order", order.ID, "payment", first.ID, "second", second.ID)
	return first, nil
}

// logDifference logs a difference between payments and orders that only a person can
// resolve. It does so once, as long as this replica runs and remembers the
// difference.
func (c *cashier) logDifference(ctx context.Context, what, orderID, paymentID string) {
	isNew := false
	c.named.GetOrPut(orderID+what, func() struct{} {
		isNew = true
		return struct{}{}
	})
	if isNew {
		c.log.ErrorContext(ctx, what, "order", orderID, "payment", paymentID)
	}
}
