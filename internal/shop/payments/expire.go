package payments

import (
	"context"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/telemetry"
)

const (
	// expiry is how long a payment stays pending if its order does not exist.
	expiry = 24 * time.Hour
	// expireInterval is how often such payments are looked for.
	expireInterval = 10 * time.Minute
)

// expireAll refuses, at once and in every interval, the payments that have been
// pending for a day and have no order.
func (l *leftOvers) expireAll(ctx context.Context) {
	tick := time.NewTicker(expireInterval)
	defer tick.Stop()
	for {
		l.expireSince(ctx, time.Now().Add(-expiry))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// expireSince refuses the payments that have been pending since the time and have no
// order. If an order that names one of them is restored later, that payment is
// recorded as paid, as any other that was refused by mistake.
func (l *leftOvers) expireSince(ctx context.Context, since time.Time) {
	left, err := l.list(ctx, since)
	if err == nil && len(left) == 0 {
		return
	}
	ctx, end := telemetry.Start(ctx, "expire payments")
	defer end()
	failed := 0
	for _, p := range left { // A failure does not stop the others.
		if e := l.expireOne(ctx, p, since); e != nil {
			failed, err = failed+1, e
		}
	}
	if err != nil && ctx.Err() == nil {
		l.log.WarnContext(ctx, "cannot expire payments left over", "failed", failed, "last_error", err.Error())
	}
}

func (l *leftOvers) expireOne(ctx context.Context, p api.Payment, since time.Time) error {
	if _, err := l.orders.Get(ctx, p.OrderID); !fault.Is(err, fault.NotFound) {
		return err
	}
	expired, err := l.store.expire(ctx, p.ID, since)
	if err != nil || !expired {
		return err
	}
	l.audit(ctx, p, refused)
	l.log.WarnContext(ctx, "refused a payment left over: its order does not exist", "payment", p.ID, "order", p.OrderID)
	return nil
}
