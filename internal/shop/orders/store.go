package orders

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/money"
)

//go:embed migrations/*.sql
var migrations embed.FS

// latest bounds how many orders of a user are listed.
const latest = 100

// columns are what scan reads.
const columns = `id, user_id, product_ids, status, amount, payment_id`

// Store keeps orders in a database.
type Store struct{ db *database.DB }

// Create stores a new order, which is pending. One that is stored already, by an
// earlier attempt, stays as it is.
func (s *Store) Create(ctx context.Context, order api.Order) error {
	list, err := json.Marshal(order.ProductIDs)
	if err != nil {
		return fmt.Errorf("encode product ids: %w", err)
	}
	_, err = s.db.Repeatable().ExecContext(ctx,
		`INSERT INTO orders (id, user_id, product_ids, status, amount, created_at) VALUES ($1, $2, $3, 'pending', $4, $5) ON CONFLICT (id) DO NOTHING`,
		order.ID, order.UserID, string(list), order.Amount, time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("store an order: %w", err)
	}
	return nil
}

// Get returns an order, or fault.NotFound.
func (s *Store) Get(ctx context.Context, id string) (api.Order, error) {
	order, err := scan(s.db.Reads().QueryRowContext(ctx, `SELECT `+columns+` FROM orders WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return api.Order{}, fault.New(fault.NotFound, "Order not found")
	}
	return order, err
}

// ByUser returns the user's latest orders, newest first.
func (s *Store) ByUser(ctx context.Context, userID string) ([]api.Order, error) {
	return s.list(ctx, `SELECT `+columns+` FROM orders WHERE user_id = $1 ORDER BY created_at DESC, id LIMIT $2`, userID, latest)
}

func (s *Store) list(ctx context.Context, query string, args ...any) ([]api.Order, error) {
	rows, err := s.db.Reads().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	defer rows.Close()
	orders := []api.Order{}
	for rows.Next() {
		order, err := scan(rows)
		if err != nil {
			return nil, err
		}
		orders = append(orders, order)
	}
	return orders, rows.Err()
}

// FixAmount gives an order that was created without an amount its amount, for
// good, and returns the order. An amount that it has stays.
func (s *Store) FixAmount(ctx context.Context, id string, amount money.Amount) (api.Order, error) {
	order, err := scan(s.db.Repeatable().QueryRowContext(ctx,
		`UPDATE orders SET amount = COALESCE(amount, $2) WHERE id = $1 RETURNING `+columns, id, amount))
	if errors.Is(err, sql.ErrNoRows) {
		return api.Order{}, fault.New(fault.NotFound, "Order not found")
	}
	return order, err
}

// SetStatus sets the status of an order and returns the order. Setting the
// status it has is no change; a paid order stays paid (fault.Conflict).
//
// With a payment's id the step to paid is a compare-and-set in one statement:
// of several payments one wins, which may repeat its step; the others get
// fault.Conflict. The id means nothing for another status.
func (s *Store) SetStatus(ctx context.Context, id, status, paymentID string) (api.Order, error) {
	payment := sql.NullString{String: paymentID, Valid: paymentID != "" && status == api.StatusPaid}
	order, err := scan(s.db.Repeatable().QueryRowContext(ctx, `
		UPDATE orders SET status = $2, payment_id = COALESCE(payment_id, $3)
		WHERE id = $1 AND (status = 'pending' OR status = $2 AND COALESCE($3, payment_id, '') = COALESCE(payment_id, ''))
		RETURNING `+columns, id, status, payment))
	if !errors.Is(err, sql.ErrNoRows) {
		return order, err
	}
	if _, err := s.Get(ctx, id); err != nil {
		return api.Order{}, err
	}
	return api.Order{}, fault.New(fault.Conflict, "Already Paid")
}

func scan(row interface{ Scan(...any) error }) (api.Order, error) {
	var (
		order   api.Order
		list    string
		amount  sql.Null[int64]
		payment sql.Null[string]
	)
	if err := row.Scan(&order.ID, &order.UserID, &list, &order.Status, &amount, &payment); err != nil {
		return api.Order{}, fmt.Errorf("read an order: %w", err)
	}
	if err := json.Unmarshal([]byte(list), &order.ProductIDs); err != nil {
		return api.Order{}, fmt.Errorf("decode the products of order %s: %w", order.ID, err)
	}
	if amount.Valid {
		cents := money.Amount(amount.V)
		order.Amount = &cents
	}
	order.PaymentID = payment.V
	return order, nil
}
