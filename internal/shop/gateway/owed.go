package gateway

import (
	"context"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/baggage"
	"github.com/koshop/koshop/internal/shop/money"
	"github.com/koshop/koshop/internal/shop/recent"
)

// maxOwed is how many orders are remembered.
const maxOwed = 10_000

// owed remembers the owners and the amounts of orders, which never change. If a payment
// agrees with them, the gateway does not read the order: payments-svc compares them again.
// If it does not agree, the gateway has to read the order. An intercept may lead requests
// with some baggage to another orders-svc, so each baggage has entries of its own.
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

// agrees reports whether the remembered order is the caller's and has this amount.
func (o owed) agrees(ctx context.Context, orderID string, amount money.Amount) bool {
	known, ok := o.orders.Get(owedKey(ctx, orderID))
	return ok && known == debt{userOf(ctx), amount}
}

func owedKey(ctx context.Context, orderID string) string {
	return hash(orderID + "\x00" + baggage.From(ctx))
}
