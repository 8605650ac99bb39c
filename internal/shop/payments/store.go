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
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The statuses of a payment. Clients see paid payments only.
const (
	pending = api.StatusPending
	paid    = api.StatusPaid
	refused = "refused" // orders-svc did not accept it
)

// columns are what scan reads.
const columns = `id, user_id, order_id, amount, status`

// store keeps payments in a database.
type store struct{ db *database.DB }

// create records a pending payment. It reports false, and records nothing, if
// the order has a paid payment or the payment is on record.
func (s *store) create(ctx context.Context, p api.Payment) (created bool, err error) {
	created, err = s.change(ctx, p.ID, `
		INSERT INTO payments (id, user_id, order_id, amount, status, created_at, change_id)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), 'pending', CAST($5 AS BIGINT), CAST($6 AS TEXT)
		WHERE NOT EXISTS (SELECT 1 FROM payments WHERE order_id = $3 AND status = 'paid')
		ON CONFLICT (id) DO NOTHING`,
		p.UserID, p.OrderID, p.Amount, time.Now().UnixMilli())
	if err != nil {
		return false, fmt.Errorf("store a payment: %w", err)
	}
	return created, nil
}

// restore records a paid payment that was lost. It reports false, and records
// nothing, if the payment is on record, or another paid payment for its order is.
func (s *store) restore(ctx context.Context, p api.Payment) (restored bool, err error) {
	restored, err = s.change(ctx, p.ID, `
		INSERT INTO payments (`+columns+`, created_at, change_id) VALUES ($1, $2, $3, $4, 'paid', $5, $6) ON CONFLICT DO NOTHING`,
		p.UserID, p.OrderID, p.Amount, time.Now().UnixMilli())
	if err != nil {
		return false, fmt.Errorf("restore payment %s: %w", p.ID, err)
	}
	return restored, nil
}

// settle changes the status of a payment. It reports false, and changes nothing,
// if the payment does not have the old status any more.
func (s *store) settle(ctx context.Context, id, old, status string) (settled bool, err error) {
	settled, err = s.change(ctx, id, `UPDATE payments SET change_id = $4, status = $3 WHERE id = $1 AND status = $2`, old, status)
	if err != nil {
		return false, fmt.Errorf("settle payment %s as %s: %w", id, status, err)
	}
	return settled, nil
}

// withdraw refuses a pending payment that only its own request has tried to settle.
// It reports whether it did.
func (s *store) withdraw(ctx context.Context, id string) (withdrawn bool, err error) {
	withdrawn, err = s.change(ctx, id, `UPDATE payments SET change_id = $2, status = 'refused' WHERE id = $1 AND status = 'pending' AND left_over = 0`)
	if err != nil {
		return false, fmt.Errorf("withdraw payment %s: %w", id, err)
	}
	return withdrawn, nil
}

// expire refuses a payment that has been pending since the time. It reports whether
// it did.
func (s *store) expire(ctx context.Context, id string, since time.Time) (expired bool, err error) {
	expired, err = s.change(ctx, id, `
		UPDATE payments SET change_id = $3, status = 'refused' WHERE id = $1 AND status = 'pending' AND created_at <= $2`, since.UnixMilli())
	if err != nil {
		return false, fmt.Errorf("expire payment %s: %w", id, err)
	}
	return expired, nil
}

// claim marks a pending payment as left over: its own request may not withdraw it
// any more. It reports false if the payment is not pending any more.
func (s *store) claim(ctx context.Context, id string) (claimed bool, err error) {
	claimed, err = s.db.Repeatable().Change(ctx, `UPDATE payments SET left_over = 1 WHERE id = $1 AND status = 'pending'`, id)
	if err != nil {
		return false, fmt.Errorf("claim payment %s: %w", id, err)
	}
	return claimed, nil
}

// change executes a statement that changes the payment or nothing, and reports
// whether it changed it. The statement's first parameter is the id of the payment,
// its last one the change_id.
//
// If the connection breaks, the statement is repeated. If the first attempt has
// changed the payment, the second one changes nothing; the change_id tells.
func (s *store) change(ctx context.Context, id, statement string, args ...any) (changed bool, err error) {
	changeID := uuid.NewString()
	changed, err = s.db.Repeatable().Change(ctx, statement, append(append([]any{id}, args...), changeID)...)
	if err != nil || changed {
		return changed, err
	}
	err = s.db.Reads().QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM payments WHERE id = $1 AND change_id = $2`, id, changeID).Scan(&changed)
	return changed, err
}

// get returns a payment, whatever its status, or fault.NotFound.
func (s *store) get(ctx context.Context, id string) (api.Payment, error) {
	return one(s.db.Reads().QueryRowContext(ctx, `SELECT `+columns+` FROM payments WHERE id = $1`, id))
}

// paidFor returns the paid payment for the order, or fault.NotFound.
func (s *store) paidFor(ctx context.Context, orderID string) (api.Payment, error) {
	return one(s.db.Reads().QueryRowContext(ctx, `SELECT `+columns+` FROM payments WHERE order_id = $1 AND status = 'paid'`, orderID))
}

// paidAfter returns at most n paid payments for orders whose ids come after the
// given one, in the order of these ids.
func (s *store) paidAfter(ctx context.Context, orderID string, n int) ([]api.Payment, error) {
	return s.list(ctx, `SELECT `+columns+` FROM payments WHERE status = 'paid' AND order_id > $1 ORDER BY order_id LIMIT $2`, orderID, n)
}

// pendingSince returns at most n payments that have been pending since the time
// and come after the given one, the oldest first.
func (s *store) pendingSince(ctx context.Context, since time.Time, after api.Payment, n int) ([]api.Payment, error) {
	return s.list(ctx, `
		SELECT `+columns+` FROM payments
		WHERE status = 'pending' AND created_at <= $1
		AND (created_at, id) > (COALESCE((SELECT created_at FROM payments WHERE id = $2), -1), $2)
		ORDER BY created_at, id LIMIT $3`, since.UnixMilli(), after.ID, n)
}

func (s *store) list(ctx context.Context, query string, args ...any) ([]api.Payment, error) {
	rows, err := s.db.Reads().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list payments: %w", err)
	}
	defer rows.Close()
	var list []api.Payment
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list payments: %w", err)
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

func one(row database.Row) (api.Payment, error) {
	p, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return api.Payment{}, errUnknown()
	}
	if err != nil {
		return api.Payment{}, fmt.Errorf("read a payment: %w", err)
	}
	return p, nil
}

func scan(row interface{ Scan(...any) error }) (p api.Payment, err error) {
	err = row.Scan(&p.ID, &p.UserID, &p.OrderID, &p.Amount, &p.Status)
	return p, err
}

func errUnknown() error { return fault.New(fault.NotFound, "Payment not found") }
