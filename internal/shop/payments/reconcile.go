package payments

import (
	"context"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/telemetry"
)

const (
	// named is how many differences are remembered that only a person can resolve.
	named = 1000
	// pageTimeout bounds the comparison of one page, with its repairs.
	pageTimeout = time.Minute
)

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
		after = c.compareNext(ctx, after)
	}
}

// compareNext compares the page after the given id, within a span, so that the lines
// of the log have its trace. It returns the id after which the next page begins: the
// given id if this page could not be compared.
func (c *cashier) compareNext(ctx context.Context, after string) (next string) {
	ctx, end := telemetry.Start(ctx, "compare payments with orders")
	defer end()
	page, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	next, err := c.comparePage(page, after)
	if err == nil {
		return next
	}
	if ctx.Err() == nil {
		c.log.WarnContext(ctx, "cannot compare the payments with the orders", "error", err.Error())
	}
	return after
}

// comparePage compares the paid orders and payments for the orders whose ids come
// after the given one. It returns the last id of the page, or "" at the end.
//
// The ids are those of orders-svc, UUIDs in lower case: databases order them as
// Go does. If an id is out of order, its order is only read without need:
// reconcileOrder reads everything again.
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
	for _, id := range differingOrders(orders, payments, next) {
		if err := c.reconcileOrder(ctx, id); err != nil {
			c.log.WarnContext(ctx, "cannot mend a difference between payments and orders", "order", id, "error", err.Error())
		}
	}
	return next, ctx.Err()
}

// differingOrders returns the ids of the orders, up to the last one, whose paid orders and
// paid payments do not agree. If the last one is "", there is no bound.
func differingOrders(orders []api.Order, payments []api.Payment, last string) (ids []string) {
	of := map[string]api.Payment{}
	for _, p := range payments {
		of[p.OrderID] = p
	}
	for _, order := range orders {
		if last != "" && order.ID > last {
			continue
		}
		if p := of[order.ID]; p.ID == "" || p.ID != order.PaymentID || order.Amount == nil || check(order, p) != nil {
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

// reconcileOrder makes an order and its payment agree, or logs a difference that only
// a person can resolve.
func (c *cashier) reconcileOrder(ctx context.Context, orderID string) error {
	p, err := c.store.paidFor(ctx, orderID)
	known := !fault.Is(err, fault.NotFound)
	if known && err != nil {
		return err
	}
	order, err := c.orders.Get(ctx, orderID)
	switch {
	case fault.Is(err, fault.NotFound) && known:
		c.logDifference(ctx, withoutOrder, orderID, p.ID)
		return nil
	case fault.Is(err, fault.NotFound): // It was deleted just now.
		return nil
	case err != nil:
		return err
	case known && check(order, p) != nil:
		c.logDifference(ctx, otherUserOrAmount, orderID, p.ID)
		return nil
	case known:
		return c.reconcileWith(ctx, order, p)
	case order.Status == pending: // There is neither a payment nor a paid order.
		return nil
	case order.PaymentID == "":
		c.logDifference(ctx, withoutPayment, orderID, "")
		return nil
	}
	if _, err := c.reconcilePayment(ctx, order); !fault.Is(err, fault.NotFound) {
		return err
	}
	return nil // It was logged.
}

// reconcileWith makes an order agree with the paid payment for it.
func (c *cashier) reconcileWith(ctx context.Context, order api.Order, p api.Payment) error {
	log := c.log.With("order", order.ID, "payment", p.ID)
	switch {
	case order.Status == pending:
		log.WarnContext(ctx, "mending: the order has lost its payment")
		_, err := c.settle(ctx, p, true)
		return err
	case order.PaymentID == "":
		log.WarnContext(ctx, "mending: the paid order names no payment")
		_, err := c.orders.ReplacePayment(ctx, order.ID, "", p.ID)
		return err
	case order.PaymentID != p.ID:
		_, err := c.reconcilePayment(ctx, order)
		return err
	case order.Amount == nil:
		log.WarnContext(ctx, "mending: the paid order has no amount")
		_, err := c.orders.MarkPaid(ctx, p)
		return err
	}
	return nil
}
