package payments

import (
	"context"
	"log/slog"

	"github.com/koshop/koshop/internal/shop/api"
)

// Who decided on a payment: the request for it, or the reconciler later.
const (
	byRequest    = "request"
	byReconciler = "reconciler"
)

// audit writes one line for a payment that was paid or refused. The line says nothing
// about the customer. A payment that was refused before it was on record is in this
// line only.
func (c *cashier) audit(ctx context.Context, p api.Payment, outcome string) {
	c.log.LogAttrs(ctx, slog.LevelInfo, "payment "+outcome, slog.Group("audit",
		slog.String("payment_id", p.ID), slog.String("order_id", p.OrderID), slog.String("amount", p.Amount.String()),
		slog.String("outcome", outcome), slog.String("decided_by", c.by)))
}
