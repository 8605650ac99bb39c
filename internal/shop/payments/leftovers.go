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

// leftOvers settles payments that a crash or an unreachable orders-svc left pending.
type leftOvers struct {
	*cashier
	counts *settlements
	failed map[string]failure // by the id of the payment
}

// failure counts the attempts to settle a payment that failed.
type failure struct {
	attempts int       // all that failed
	alone    int       // those that failed in rounds in which others were settled
	next     time.Time // when to try again
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

// round tries to settle each payment once, some at a time, within a span, so that the
// lines of the log have its trace.
func (l *leftOvers) round(ctx context.Context, interval time.Duration) {
	left, err := l.list(ctx, time.Now().Add(-interval))
	if err == nil && len(left) == 0 {
		l.failed = nil
		return
	}
	ctx, end := telemetry.Start(ctx, "settle payments left over")
	defer end()
	if err != nil {
		if ctx.Err() == nil {
			l.log.WarnContext(ctx, "cannot look for payments left over", "error", err.Error())
		}
		return
	}
	errs, settled := l.settleDue(ctx, left)
	if ctx.Err() == nil {
		l.noteFailures(ctx, left, errs, settled > 0, interval)
	}
}

// noteFailures decides when the payments that failed are tried again. If no other
// payment was settled in the round, orders-svc is what fails, and all are tried again
// in the next round. A payment that fails while others are settled is tried less and
// less often, so that it delays no other.
func (l *leftOvers) noteFailures(ctx context.Context, left []api.Payment, errs map[string]error, othersSettled bool, interval time.Duration) {
	kept := map[string]failure{}
	for _, p := range left {
		f := l.failed[p.ID]
		if err := errs[p.ID]; err != nil {
			f.attempts++
			if othersSettled {
				f.alone++
				f.next = time.Now().Add(pause(f.alone, interval))
			}
			if f.attempts&(f.attempts-1) == 0 { // a power of two: the log does not fill
				l.log.WarnContext(ctx, "cannot settle a payment left over", "payment", p.ID, "attempts", f.attempts, "error", err.Error())
			}
		}
		if f.attempts > 0 {
			kept[p.ID] = f
		}
	}
	l.failed = kept
}

// pause returns how long a payment waits after it failed alone so many times. It does
// not wait after the first time: that may be the round in which orders-svc recovers.
func pause(alone int, interval time.Duration) time.Duration {
	if alone < 2 {
		return 0
	}
	return min(interval<<min(alone-2, 10), longestPause)
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

// settleDue settles the payments that need not wait. It returns the errors, by the ids
// of the payments, and how many were settled.
func (l *leftOvers) settleDue(ctx context.Context, left []api.Payment) (errs map[string]error, settled int) {
	var (
		mu    sync.Mutex
		all   sync.WaitGroup
		slots = make(chan struct{}, atOnce)
	)
	errs = map[string]error{}
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
			isSettled, err := l.settleOne(ctx, p)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs[p.ID] = err
			}
			if isSettled {
				settled++
			}
		})
	}
	all.Wait()
	return errs, settled
}

// settleOne settles a payment as paid or as refused. It reports false if it failed, or
// if the payment was settled before.
func (l *leftOvers) settleOne(ctx context.Context, p api.Payment) (settled bool, err error) {
	if l.failed[p.ID].attempts == 0 {
		if claimed, err := l.store.claim(ctx, p.ID); err != nil || !claimed {
			return false, err
		}
	}
	ctx, end := telemetry.Start(ctx, "settle a payment")
	defer end()
	taken, err := l.settle(ctx, p, true)
	switch code := fault.CodeOf(err); {
	case err == nil && taken.ID == p.ID:
		l.counts.paid.Add(1)
		l.log.InfoContext(ctx, "settled a payment left over", "payment", p.ID)
	case err == nil:
		l.counts.refused.Add(1)
		l.log.InfoContext(ctx, "refused a payment left over", "payment", p.ID, "reason", "another one was taken before")
	case code == fault.Forbidden, code == fault.BadRequest:
		l.counts.refused.Add(1)
		l.log.InfoContext(ctx, "refused a payment left over", "payment", p.ID, "reason", err.Error())
	default:
		l.counts.failed.Add(1)
		return false, err
	}
	return true, nil
}
