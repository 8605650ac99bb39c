package orders

import (
	"context"
	"database/sql"
	"errors"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
)

// paid returns at most n paid orders whose ids come after the given one, in the
// order of their ids.
func (s *store) paid(ctx context.Context, after string, n int) ([]api.Order, error) {
	return s.list(ctx, `SELECT `+columns+` FROM orders WHERE status = 'paid' AND id > $1 ORDER BY id LIMIT $2`, after, n)
}

// paidBy returns the order that became paid by the payment, or fault.NotFound.
func (s *store) paidBy(ctx context.Context, paymentID string) (api.Order, error) {
	order, err := scan(s.db.Reads().QueryRowContext(ctx,
		`SELECT `+columns+` FROM orders WHERE payment_id = $1 AND status = 'paid'`, paymentID))
	if errors.Is(err, sql.ErrNoRows) {
		return api.Order{}, fault.New(fault.NotFound, "No order was paid by this payment")
	}
	return order, err
}

// replacePayment sets the payment of a paid order, provided that the order names
// the old payment now. An empty old payment means that the order names none. It
// returns fault.Conflict if the order names another one or is not paid.
func (s *store) replacePayment(ctx context.Context, id, old, paymentID string) (api.Order, error) {
	order, err := scan(s.db.Repeatable().QueryRowContext(ctx, `
		UPDATE orders SET payment_id = $3
		WHERE id = $1 AND status = 'paid' AND COALESCE(payment_id, '') IN ($2, $3)
		RETURNING `+columns, id, old, paymentID))
	if !errors.Is(err, sql.ErrNoRows) {
		return order, err
	}
	if _, err := s.get(ctx, id); err != nil {
		return api.Order{}, err
	}
	return api.Order{}, fault.New(fault.Conflict, "The order is not paid by that payment")
}
