//go:build linux

package chaos

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
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

// excuse covers the orders of a ledger that a backup cannot have: they may have come
// after it and before it was restored.
func (r restores) excuse(l *ledger) excuse {
	of := map[string]*order{}
	for _, o := range l.orders {
		of[o.id] = o
	}
	return excuse{"the order came after the backup that was restored", orderLost, func(id string) bool {
		o, known := of[id]
		return known && slices.ContainsFunc(r, func(each restore) bool {
			return o.opened.After(each.begun) && o.asked.Before(each.done)
		})
	}, math.MaxInt}
}

// differences returns in what payments and orders do not agree.
func (b books) differences() (found findings) {
	for id, paid := range b.paidFor {
		if len(paid) > 1 {
			found.add(chargedTwice, id, "order %s has %d paid payments", id, len(paid))
		}
		o, there := b.orders[id]
		switch p := paid[0]; {
		case !there:
			found.add(orderLost, id, "payment %s is for an order that is not there: %s", p.ID, id)
		case o.Status != api.StatusPaid:
			found.add(paymentLost, id, "payment %s is paid, and its order %s is %s", p.ID, id, o.Status)
		case o.UserID != p.UserID || *o.Amount != p.Amount:
			found.add(notTheOrders, id, "payment %s, order %s", p.ID, id)
		}
	}
	for id, o := range b.orders {
		p := b.payments[o.PaymentID]
		mayBe := p.OrderID == id && (p.Status == api.StatusPaid || p.Status == api.StatusPending) // See below.
		if o.Status == api.StatusPaid && !mayBe {
			found.add(paidByNone, id, "order %s is paid by %q, which is %q and for order %q", id, o.PaymentID, p.Status, p.OrderID)
		}
	}
	for id, p := range b.payments {
		switch o, there := b.orders[p.OrderID]; {
		case p.Status != api.StatusPending:
		case there:
			found.add(notSettled, p.OrderID, "payment %s is pending, and its order %s is %s by %q", id, p.OrderID, o.Status, o.PaymentID)
		default:
			found.add(orderLost, p.OrderID, "payment %s is pending, and its order %s is not there", id, p.OrderID)
		}
	}
	return found
}

// breaches returns what clients were told and is not so.
func (l *ledger) breaches(b books) (found findings) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found = slices.Clone(l.wrongs)
	for _, o := range l.orders {
		if _, there := b.orders[o.id]; !there {
			found.add(orderLost, o.id, "a client was told of order %s", o.id)
		}
		won := ""
		for _, a := range o.attempts {
			if a.status != 200 {
				continue
			}
			p := a.payment
			switch kept, there := b.payments[p.ID]; {
			case a.strange != "":
				found.add(answerWrong, o.id, "order %s: %s paid for it", o.id, a.strange)
			case p.OrderID != o.id || p.Amount != o.amount || p.UserID != o.user.id || p.Status != api.StatusPaid:
				found.add(answerWrong, o.id, "order %s: the client was told %+v", o.id, p)
			case !there || kept.Status != api.StatusPaid:
				found.add(paymentLost, o.id, "order %s: the client was told %+v, and on record is %+v", o.id, p, kept)
			case kept != p:
				found.add(answerWrong, o.id, "order %s: the client was told %+v, and on record is %+v", o.id, p, kept)
			case won != "" && won != p.ID:
				found.add(chargedTwice, o.id, "order %s: clients were told of the payments %s and %s", o.id, won, p.ID)
			}
			won = p.ID
		}
	}
	return found
}

// winners returns the orders that more than one attempt paid for, apart from those
// that repeat another one.
func (l *ledger) winners() (found findings) {
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
			found.add(chargedTwice, o.id, "order %s: %d attempts were told that they paid", o.id, len(won))
		}
	}
	return found
}
