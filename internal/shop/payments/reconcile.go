package payments

import (
	"context"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
)

// named is how many differences are remembered that only a person can mend.
const named = 1000

// reconcile compares all paid payments with all paid orders, a page every
// interval, and begins anew at the end. They differ when one of the two was
// restored from a backup. Replicas may do so at the same time.
func (c *cashier) reconcile(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for after := ""; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		page, cancel := context.WithTimeout(ctx, pageTimeout)
		next, err := c.comparePage(page, after)
		cancel()
		if err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "cannot compare the payments with the orders", "error", err.Error())
		} else {
			after = next
		}
	}
}

// pageTimeout bounds the comparison of one page, with what it mends.
const pageTimeout = time.Minute

// comparePage compares the paid orders and payments for the orders whose ids come
// after the given one. It returns the last id of the page, or "" at the end.
//
// The ids are those of orders-svc, UUIDs in lower case: databases order them as
// Go does. An id that is out of order would only be looked at for nothing: mend
// looks at everything afresh.
func (c *cashier) comparePage(ctx context.Context, after string) (next string, err error) {
	orders, err := c.orders.Paid(ctx, after)
	if err != nil {
		return "", err
	}
	payments, err := c.store.paidAfter(ctx, after, api.Page)
	if err != nil {
		return "", err
	}
	if len(orders) == api.Page {
		next = orders[api.Page-1].ID
	}
	if len(payments) == api.Page {
		if last := payments[api.Page-1].OrderID; next == "" || last < next {
			next = last
		}
	}
	for _, id := range differing(orders, payments, next) {
		if err := c.mend(ctx, id); err != nil {
			c.log.WarnContext(ctx, "cannot mend a difference between payments and orders", "order", id, "error", err.Error())
		}
	}
	return next, ctx.Err()
}

// differing returns the ids of the orders, up to the last one, about which paid
// orders and paid payments do not say the same. The last one may be "".
func differing(orders []api.Order, payments []api.Payment, last string) (ids []string) {
	of := map[string]api.Payment{}
	for _, p := range payments {
		of[p.OrderID] = p
	}
	for _, order := range orders {
		if last != "" && order.ID > last {
			continue
		}
		if p := of[order.ID]; p.ID == "" || p.ID != order.PaymentID || check(order, p) != nil {
			ids = append(ids, order.ID)
		}
		delete(of, order.ID)
	}
	for _, p := range payments {
		if _, unpaid := of[p.OrderID]; unpaid && (last == "" || p.OrderID <= last) {
			ids = append(ids, p.OrderID)
		}
	}
	return ids
}

// mend makes an order and its payment agree, or names what it cannot mend.
func (c *cashier) mend(ctx context.Context, orderID string) error {
	p, err := c.store.paidFor(ctx, orderID)
	known := !fault.Is(err, fault.NotFound)
	if known && err != nil {
		return err
	}
	order, err := c.orders.Get(ctx, orderID)
	switch {
	case fault.Is(err, fault.NotFound):
		c.differ(ctx, "a payment was taken for an order that is not there", orderID, p.ID)
		return nil
	case err != nil:
		return err
	case order.Status == pending && known:
		c.log.WarnContext(ctx, "mending: the order has lost its payment", "order", orderID, "payment", p.ID)
		_, err = c.settle(ctx, p, true)
	case order.Status == pending: // paid by nobody: as it should be
	case order.PaymentID == "" && known:
		c.log.WarnContext(ctx, "mending: the paid order names no payment", "order", orderID, "payment", p.ID)
		_, err = c.orders.ReplacePayment(ctx, orderID, "", p.ID)
	case order.PaymentID == "":
		c.differ(ctx, "an order was set to paid without a payment", orderID, "")
	case order.PaymentID != p.ID:
		_, err = c.accept(ctx, order)
	case check(order, p) != nil:
		c.differ(ctx, "a payment has another user or amount than its order", orderID, p.ID)
	}
	if fault.Is(err, fault.NotFound) { // named
		return nil
	}
	return err
}
