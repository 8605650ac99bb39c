//go:build linux

package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"testing/fstest"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/money"
)

// books are what the databases of payments-svc and orders-svc have on record.
type books struct {
	payments map[string]api.Payment   // by their ids
	paidFor  map[string][]api.Payment // the paid ones by their orders
	orders   map[string]api.Order
}

// openData opens the data of a service, as the service does.
func (s *shop) openData(ctx context.Context, service string) (*database.DB, error) {
	source, err := database.Parse(databasetest.For(s.database, service))
	if err != nil {
		return nil, err
	}
	db := database.New(source, service, fstest.MapFS{}, slog.New(slog.DiscardHandler)) // The service has made its tables.
	return db, db.Open(ctx)
}

func (s *shop) readBooks(ctx context.Context) (b books, err error) {
	b = books{map[string]api.Payment{}, map[string][]api.Payment{}, map[string]api.Order{}}
	// The payments come first: one that becomes paid meanwhile is seen as a difference, and looked at again.
	err = s.eachRow(ctx, "payments", `SELECT id, user_id, order_id, amount, status FROM payments`, func(row *database.Rows) error {
		var p api.Payment
		if err := row.Scan(&p.ID, &p.UserID, &p.OrderID, &p.Amount, &p.Status); err != nil {
			return err
		}
		b.payments[p.ID] = p
		if p.Status == api.StatusPaid {
			b.paidFor[p.OrderID] = append(b.paidFor[p.OrderID], p)
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	return b, s.eachRow(ctx, "orders", `SELECT id, user_id, status, amount, COALESCE(payment_id, '') FROM orders`, func(row *database.Rows) error {
		var o api.Order
		var amount money.Amount
		if err := row.Scan(&o.ID, &o.UserID, &o.Status, &amount, &o.PaymentID); err != nil {
			return err
		}
		o.Amount = &amount
		b.orders[o.ID] = o
		return nil
	})
}

func (s *shop) eachRow(ctx context.Context, service, query string, do func(*database.Rows) error) error {
	db, err := s.openData(ctx, service)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Reads().QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("read the %s: %w", service, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return fmt.Errorf("read the %s: %w", service, err)
		}
	}
	return rows.Err()
}

// restore is a backup of the orders that replaced them.
type restore struct{ begun, done time.Time }

// restores are those of a scene. Orders that came after the backup are lost.
type restores []restore

// excuse reports whether an order that is not there may have come after a backup and
// before that was restored.
func (r restores) excuse(o *order) bool {
	for _, each := range r {
		if o.opened.After(each.begun) && o.asked.Before(each.done) {
			return true
		}
	}
	return false
}

// differences returns in what payments and orders do not agree.
func (b books) differences(r restores) (found []string) {
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for id, paid := range b.paidFor {
		if len(paid) > 1 {
			add("order %s was charged %d times", id, len(paid))
		}
		o, there := b.orders[id]
		switch p := paid[0]; {
		case !there && len(r) == 0:
			add("payment %s is for an order that is not there: %s", p.ID, id)
		case !there: // Lost with the backup; the clients' side tells whether it may be.
		case o.Status != api.StatusPaid:
			add("payment %s is paid, and its order %s is %s", p.ID, id, o.Status)
		case o.UserID != p.UserID || *o.Amount != p.Amount:
			add("payment %s is not what order %s asks for", p.ID, id)
		}
	}
	for id, o := range b.orders {
		if p := b.payments[o.PaymentID]; o.Status == api.StatusPaid && (p.Status != api.StatusPaid || p.OrderID != id) {
			add("order %s is paid without a payment: %q is %q", id, o.PaymentID, p.Status)
		}
	}
	for id, p := range b.payments {
		if _, there := b.orders[p.OrderID]; p.Status == api.StatusPending && (there || len(r) == 0) {
			add("payment %s for order %s is pending", id, p.OrderID)
		}
	}
	return found
}

// breaches returns what clients were told and is not so.
func (l *ledger) breaches(b books, r restores) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.errors
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for _, o := range l.orders {
		if _, there := b.orders[o.id]; !there && !r.excuse(o) {
			add("order %s is lost", o.id)
		}
		won := ""
		for _, a := range o.attempts {
			if a.status != 200 {
				continue
			}
			p := a.payment
			switch kept := b.payments[p.ID]; {
			case a.strange != "":
				add("order %s: %s paid for it", o.id, a.strange)
			case p.OrderID != o.id || p.Amount != o.amount || p.UserID != o.user.id || p.Status != api.StatusPaid:
				add("order %s: the client was told %+v", o.id, p)
			case kept != p:
				add("order %s: the client was told %+v, and on record is %+v", o.id, p, kept)
			case won != "" && won != p.ID:
				add("order %s: clients were told of the payments %s and %s", o.id, won, p.ID)
			}
			won = p.ID
		}
	}
	return found
}

// winners returns the orders that more than one attempt paid for, apart from those
// that repeat another one.
func (l *ledger) winners() (found []string) {
	for _, o := range l.orders {
		won := map[string]int{}
		for i, a := range o.attempts {
			if key := a.key; a.status == 200 {
				if key == "" {
					key = fmt.Sprint(i)
				}
				won[key]++
			}
		}
		if len(won) > 1 {
			found = append(found, fmt.Sprintf("order %s: %d attempts were told that they paid", o.id, len(won)))
		}
	}
	return found
}
