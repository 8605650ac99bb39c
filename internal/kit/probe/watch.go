package probe

import (
	"context"
	"time"
)

// firstPause is the pause before a probe is asked for the second time: a start is
// noticed at once, not at the end of a period. Each further pause is a quarter
// longer, up to maxPause or the period: requests wait for about as long.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = time.Second
)

// Until returns when the probe has succeeded, with nil, or when ctx has ended,
// with what was seen last. Each failure is reported as it comes.
func Until(ctx context.Context, p *Probe, run Exec, failed func(error)) error {
	last := context.Canceled
	for pause := firstPause; ; pause = min(pause*5/4, maxPause, Seconds(p.PeriodSeconds, 10)) {
		err := Check(ctx, p, run)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil { // What is said now is about that.
			return last
		}
		failed(err)
		last = err
		if sleep(ctx, pause) != nil {
			return last
		}
	}
}

// Watch asks in the probe's period until ctx ends and reports each turn: the
// probe has failed as often in a row as its failure threshold says, with the
// last failure, or it has succeeded again as often as its success threshold
// says, with nil. It begins with a healthy process, after initialDelaySeconds.
func Watch(ctx context.Context, p *Probe, run Exec, turned func(error)) {
	healthy, streak := true, 0
	if sleep(ctx, time.Duration(p.InitialDelaySeconds)*time.Second) != nil {
		return
	}
	for sleep(ctx, Seconds(p.PeriodSeconds, 10)) == nil {
		err := Check(ctx, p, run)
		if ctx.Err() != nil {
			return
		}
		if (err == nil) == healthy {
			streak = 0
			continue
		}
		if streak++; streak >= threshold(p, healthy) {
			healthy, streak = !healthy, 0
			turned(err)
		}
	}
}

func threshold(p *Probe, healthy bool) int {
	if healthy {
		return int(orDefault(p.FailureThreshold, 3))
	}
	return int(orDefault(p.SuccessThreshold, 1))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
