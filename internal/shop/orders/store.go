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

// store keeps orders in a database.
type store struct{ db *database.DB }

// create stores a new order, which is pending, and returns it. If an earlier attempt
// has stored an order with this id, that one stays as it is and is returned: its
// amount may be another one, because prices change.
func (s *store) create(ctx context.Context, order api.Order) (api.Order, error) {
	list, err := json.Marshal(order.ProductIDs)
	if err != nil {
		return api.Order{}, fmt.Errorf("encode product ids: %w", err)
	}
	created, err := s.db.Repeatable().Change(ctx,
		`INSERT INTO orders (id, user_id, product_ids, status, amount, created_at) VALUES ($1, $2, $3, 'pending', $4, $5) ON CONFLICT (id) DO NOTHING`,
		order.ID, order.UserID, string(list), order.Amount, time.Now().UnixMilli())
	switch {
	case err != nil:
		return api.Order{}, fmt.Errorf("store an order: %w", err)
	case !created:
		return s.get(ctx, order.ID)
	}
	order.Status = api.StatusPending
	return order, nil
}

// get returns an order, or fault.NotFound.
func (s *store) get(ctx context.Context, id string) (api.Order, error) {
	order, err := scan(s.db.Reads().QueryRowContext(ctx, `SELECT `+columns+` FROM orders WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return api.Order{}, fault.New(fault.NotFound, "Order not found")
	}
	return order, err
}

// byUser returns the user's latest orders, newest first.
func (s *store) byUser(ctx context.Context, userID string) ([]api.Order, error) {
	return s.list(ctx, `SELECT `+columns+` FROM orders WHERE user_id = $1 ORDER BY created_at DESC, id LIMIT $2`, userID, latest)
}

func (s *store) list(ctx context.Context, query string, args ...any) ([]api.Order, error) {
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

// fixAmount gives a pending order that was created without an amount its amount,
// for good, and returns the order. An amount that the order has stays, and a paid
// order stays as it is: its amount is what was paid.
func (s *store) fixAmount(ctx context.Context, id string, amount money.Amount) (api.Order, error) {
	order, err := scan(s.db.Repeatable().QueryRowContext(ctx,
		`UPDATE orders SET amount = COALESCE(amount, $2) WHERE id = $1 AND status = 'pending' RETURNING `+columns, id, amount))
	if errors.Is(err, sql.ErrNoRows) {
		return s.get(ctx, id)
	}
	return order, err
}

// payer is the payment on whose behalf an order becomes paid. The zero payer is
// unknown, as in the seed's form.
type payer struct {
	paymentID string
	amount    *money.Amount // nil: unknown
}

// setStatus sets the status of an order and returns the order. Setting the
// status that it has changes nothing; a paid order stays paid (fault.Conflict).
//
// With a payer the step to paid is a compare-and-set in one statement: of several
// payments one wins, which may repeat its step; the others get fault.Conflict. A
// payment of another amount than the order's gets fault.Conflict, too. An order
// without an amount gets that of the payment. For another status the payer is
// ignored.
func (s *store) setStatus(ctx context.Context, id, status string, by payer) (api.Order, error) {
	if status != api.StatusPaid || by.paymentID == "" {
		by = payer{}
	}
	payment := sql.NullString{String: by.paymentID, Valid: by.paymentID != ""}
	order, err := scan(s.db.Repeatable().QueryRowContext(ctx, `
		UPDATE orders SET status = $2, payment_id = COALESCE(payment_id, $3), amount = COALESCE(amount, $4)
		WHERE id = $1 AND (status = 'pending' OR status = $2 AND COALESCE($3, payment_id, '') = COALESCE(payment_id, ''))
		AND COALESCE(amount, $4, 0) = COALESCE($4, amount, 0)
		RETURNING `+columns, id, status, payment, by.amount))
	if !errors.Is(err, sql.ErrNoRows) {
		return order, err
	}
	if order, err = s.get(ctx, id); err != nil {
		return api.Order{}, err
	}
	if order.Status == api.StatusPending {
		return api.Order{}, fault.New(fault.Conflict, "The order has another amount")
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
