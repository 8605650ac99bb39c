package gateway

import (
	"context"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/baggage"
	"github.com/koshop/koshop/internal/shop/money"
	"github.com/koshop/koshop/internal/shop/recent"
)

// maxOwed is for how many orders it is remembered what their owners owe.
const maxOwed = 10_000

// owed remembers what never changes about orders: their owners and amounts. A payment
// that agrees with it needs no look at the order: payments-svc compares them anyway. What
// does not agree says nothing, as the order may be in another orders-svc, to which an
// intercept leads requests by their baggage.
type owed struct{ orders *recent.Map[debt] }

type debt struct {
	userID string
	amount money.Amount
}

func newOwed() owed { return owed{recent.NewMap[debt](maxOwed)} }

// note remembers an order that has an amount.
func (o owed) note(ctx context.Context, order api.Order) {
	if order.Amount != nil {
		o.orders.Put(owedKey(ctx, order.ID), debt{order.UserID, *order.Amount})
	}
}

// agrees tells whether the caller is known to owe this amount for the order.
func (o owed) agrees(ctx context.Context, orderID string, amount money.Amount) bool {
	known, ok := o.orders.Get(owedKey(ctx, orderID))
	return ok && known == debt{userOf(ctx), amount}
}

func owedKey(ctx context.Context, orderID string) string {
	return hash(orderID + "\x00" + baggage.From(ctx))
}
