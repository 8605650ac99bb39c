package payments

import (
	"context"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/shop/api"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/telemetry"
)

const (
	page         = 200 // payments left over that are read at a time
	atOnce       = 8   // payments left over that are settled at a time
	listTimeout  = 3 * time.Second
	longestPause = time.Minute // between the attempts for one that fails while others do not
)

// leftOvers settles what a crash or an unreachable orders-svc left pending.
type leftOvers struct {
	*cashier
	counts *settlements
	failed map[string]failure // by the id of the payment
}

// failure is how often a payment could not be settled, and when to try again.
type failure struct {
	times int
	next  time.Time
}

// settleAll settles, at once and twice in an interval, all payments that have
// been pending for an interval. Replicas may do so at the same time.
func (l *leftOvers) settleAll(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		l.round(ctx, interval)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// round tries to settle each payment once, some at a time. One that fails while
// others do not is tried less and less often; if all fail, orders-svc is what
// fails, and all are tried again in the next round.
func (l *leftOvers) round(ctx context.Context, interval time.Duration) {
	left, err := l.list(ctx, time.Now().Add(-interval))
	if err != nil {
		if ctx.Err() == nil {
			l.log.WarnContext(ctx, "cannot look for payments left over", "error", err.Error())
		}
		return
	}
	failed, settled := l.try(ctx, left)
	if ctx.Err() != nil {
		return
	}
	kept := map[string]failure{}
	for _, p := range left {
		f := l.failed[p.ID]
		if err := failed[p.ID]; err != nil {
			f.times++
			if settled > 0 {
				f.next = time.Now().Add(min(interval<<min(f.times, 10), longestPause))
			}
			if f.times&(f.times-1) == 0 { // a power of two: the log does not fill
				l.log.WarnContext(ctx, "cannot settle a payment left over", "payment", p.ID, "attempts", f.times, "error", err.Error())
			}
		}
		if f.times > 0 {
			kept[p.ID] = f
		}
	}
	l.failed = kept
}

// list returns the payments that have been pending since the time.
func (l *leftOvers) list(ctx context.Context, since time.Time) (left []api.Payment, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	for last := (api.Payment{}); ; {
		next, err := l.store.pendingSince(ctx, since, last, page)
		if err != nil {
			return nil, err
		}
		left = append(left, next...)
		if len(next) < page {
			return left, nil
		}
		last = next[page-1]
	}
}

// try settles the payments whose turn it is. It returns the errors, by the ids of
// the payments, and how many were settled.
func (l *leftOvers) try(ctx context.Context, left []api.Payment) (failed map[string]error, settled int) {
	var (
		mu    sync.Mutex
		all   sync.WaitGroup
		slots = make(chan struct{}, atOnce)
	)
	failed = map[string]error{}
	for _, p := range left {
		if time.Now().Before(l.failed[p.ID].next) {
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			err := l.settleOne(ctx, p)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed[p.ID] = err
			} else {
				settled++
			}
		})
	}
	all.Wait()
	return failed, settled
}

// settleOne settles a payment as paid or as refused. An error means neither.
func (l *leftOvers) settleOne(ctx context.Context, p api.Payment) error {
	if l.failed[p.ID].times == 0 {
		if claimed, err := l.store.claim(ctx, p.ID); err != nil || !claimed {
			return err
		}
	}
	ctx, end := telemetry.Start(ctx, "settle a payment")
	defer end()
	_, err := l.settle(ctx, p, true)
	l.counts.add(err)
	switch fault.CodeOf(err) {
	case "":
		l.log.InfoContext(ctx, "settled a payment left over", "payment", p.ID)
	case fault.Forbidden:
		l.log.InfoContext(ctx, "refused a payment left over", "payment", p.ID, "reason", err.Error())
	default:
		return err
	}
	return nil
}
