package payments

import (
	"context"
	"log/slog"

	"github.com/koshop/koshop/internal/shop/api"
)

// Values of decided_by: a payment is decided on by its own request, or later by the
// reconciler.
const (
	byRequest    = "request"
	byReconciler = "reconciler"
)

// audit writes one line for a payment that was paid or refused. The line says nothing
// about the customer. A payment that was refused before it was on record is in this
// line only.
//
// The line is written exactly once for each change of the status, also if the
// connection to the database broke and the statement was repeated. It is missing only
// if the process ends, or the database stays away, just after the change: then the
// status on record is the only trace.
func (c *cashier) audit(ctx context.Context, p api.Payment, outcome string) {
	c.log.LogAttrs(ctx, slog.LevelInfo, "payment "+outcome, slog.Group("audit",
		slog.String("payment_id", p.ID), slog.String("order_id", p.OrderID), slog.String("amount", p.Amount.String()),
		slog.String("outcome", outcome), slog.String("decided_by", c.by)))
}
