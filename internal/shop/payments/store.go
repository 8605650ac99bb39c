package payments

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
)

//go:embed migrations/*.sql
var migrations embed.FS

// refused is the status of a payment that orders-svc did not accept. Clients
// never see such a payment.
const refused = "refused"

// store keeps payments in a database.
type store struct{ db *sql.DB }

// create records a payment as pending.
func (s *store) create(ctx context.Context, userID, orderID string, amount money.Amount) (api.Payment, error) {
	p := api.Payment{ID: uuid.NewString(), UserID: userID, OrderID: orderID, Amount: amount, Status: api.StatusPending}
	_, err := s.db.ExecContext(ctx,
		`INSERT INTO payments (id, user_id, order_id, amount, status, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.ID, userID, orderID, amount, p.Status, time.Now().UnixMilli())
	if err != nil {
		return api.Payment{}, fmt.Errorf("store a payment: %w", err)
	}
	return p, nil
}

// settle gives a pending payment its final status. Repeating it is harmless.
func (s *store) settle(ctx context.Context, id, status string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE payments SET status = $2 WHERE id = $1 AND status = 'pending'`, id, status)
	if err != nil {
		return fmt.Errorf("settle payment %s as %s: %w", id, status, err)
	}
	return nil
}

// paid returns a payment that was made, or fault.NotFound.
func (s *store) paid(ctx context.Context, id string) (api.Payment, error) {
	p := api.Payment{ID: id, Status: api.StatusPaid}
	err := s.db.QueryRowContext(ctx, `SELECT user_id, order_id, amount FROM payments WHERE id = $1 AND status = 'paid'`, id).
		Scan(&p.UserID, &p.OrderID, &p.Amount)
	if errors.Is(err, sql.ErrNoRows) {
		return api.Payment{}, fault.New(fault.NotFound, "Payment not found")
	}
	if err != nil {
		return api.Payment{}, fmt.Errorf("read payment %s: %w", id, err)
	}
	return p, nil
}

// pending returns the oldest payments that were pending at the time, at most n.
// Only their ids and orders are filled in.
func (s *store) pending(ctx context.Context, since time.Time, n int) ([]api.Payment, error) {
	rows, err := s.db.QueryContext(ctx,
		`SELECT id, order_id FROM payments WHERE status = 'pending' AND created_at <= $1 ORDER BY created_at LIMIT $2`,
		since.UnixMilli(), n)
	if err != nil {
		return nil, fmt.Errorf("list pending payments: %w", err)
	}
	defer rows.Close()
	var list []api.Payment
	for rows.Next() {
		var p api.Payment
		if err := rows.Scan(&p.ID, &p.OrderID); err != nil {
			return nil, fmt.Errorf("read a pending payment: %w", err)
		}
		list = append(list, p)
	}
	return list, rows.Err()
}
