package payments

import (
	"context"
	"errors"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
)

// resolveConflict asks for the order of a payment that orders-svc has refused. It
// refuses the payment if the order is paid by another one, or has another amount.
func (c *cashier) resolveConflict(ctx context.Context, p api.Payment) (api.Payment, error) {
	order, err := c.orders.Get(ctx, p.OrderID)
	if err != nil {
		return api.Payment{}, upstream(err)
	}
	if order.Status == paid && order.PaymentID == p.ID {
		return c.reconcilePayment(ctx, order)
	}
	otherAmount := check(order, p)
	if order.Status != paid && !fault.Is(otherAmount, fault.BadRequest) {
		return api.Payment{}, upstream(errors.New("it refuses a payment and calls the order unpaid"))
	}
	if _, err := c.decide(ctx, p, pending, refused); err != nil {
		return api.Payment{}, err
	}
	if order.Status != paid {
		return api.Payment{}, otherAmount
	}
	return c.answerForPaidOrder(ctx, order, p)
}

// refuseWithoutOrder refuses a payment whose order orders-svc does not have, and
// returns the reason.
func (c *cashier) refuseWithoutOrder(ctx context.Context, p api.Payment, reason error) error {
	withdrawn, err := c.store.withdraw(ctx, p.ID)
	if err != nil {
		return err
	}
	if !withdrawn { // Another replica has settled it as left over, and may have found the order.
		return upstream(reason)
	}
	c.audit(ctx, p, refused)
	return reason
}

// answerForPaidOrder returns the payment if it is the one that paid for the order.
// Otherwise it refuses the payment, and names the one that paid if that has the same
// payer.
func (c *cashier) answerForPaidOrder(ctx context.Context, order api.Order, p api.Payment) (api.Payment, error) {
	if order.PaymentID == "" {
		return api.Payment{}, errPaid(nil)
	}
	winner, err := c.reconcilePayment(ctx, order)
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

func errPaid(cause error) *fault.Error { return fault.Wrap(cause, fault.Forbidden, "Already Paid") }
