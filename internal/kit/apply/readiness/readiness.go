// Package readiness waits until the objects of a set are what they should be.
package readiness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// pollEvery is how often the state of an object is asked for.
const pollEvery = 200 * time.Millisecond

// errNotInTime ends the waiting for objects that are not ready yet.
var errNotInTime = errors.New("not in time")

// Wait returns when every object is what it should be: rolled
// out, bound, established, as kstatus judges it
// (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus), and a
// Job complete. It gives up when one has failed for good or the timeout has
// passed, and says of each object that is not ready what holds it up.
func Wait(ctx context.Context, c *kube.Cluster, objects []kube.Object, timeout time.Duration, log *progress.Log) error {
	w := &waiter{c, log}
	inTime, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w: %s have passed", errNotInTime, timeout))
	defer cancel()
	waiting, giveUp := context.WithCancelCause(inTime)
	defer giveUp(nil)
	unready := make([]error, len(objects))
	var group sync.WaitGroup
	for i, o := range objects {
		group.Go(func() {
			unready[i] = w.awaitReady(waiting, o)
			if unready[i] != nil && waiting.Err() == nil {
				giveUp(fmt.Errorf("%s has failed", kube.Name(o)))
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := errors.Join(unready...); err != nil {
		return fmt.Errorf("waiting for the objects to be ready: %w\n%w", context.Cause(waiting), err)
	}
	return nil
}

// waiter waits for objects of a cluster.
type waiter struct {
	cluster *kube.Cluster
	log     *progress.Log
}

// awaitReady polls one object. Only what takes time is shown: a Service is
// ready at the first look.
func (w *waiter) awaitReady(ctx context.Context, o kube.Object) error {
	task := w.log.Start(kube.Name(o), "")
	defer task.Stop()
	for first := true; ; first = false {
		now := w.look(ctx, o)
		switch {
		case now.Status == status.CurrentStatus && first:
			return nil
		case now.Status == status.CurrentStatus:
			task.Done("ready")
			return nil
		case now.Status == status.FailedStatus:
			return fmt.Errorf("%s: %s%s", kube.Name(o), now.Message, w.podTroubles(ctx, o))
		}
		task.Step(now.Message)
		select {
		case <-ctx.Done():
			return w.heldUp(ctx, o, now.Message)
		case <-time.After(pollEvery):
		}
	}
}

// heldUp says what an object was waiting for when the waiting ended.
func (w *waiter) heldUp(ctx context.Context, o kube.Object, message string) error {
	troubles := ""
	if errors.Is(context.Cause(ctx), errNotInTime) {
		troubles = w.podTroubles(context.WithoutCancel(ctx), o)
	}
	return fmt.Errorf("%s: %s%s", kube.Name(o), message, troubles)
}

// look judges an object as it is now. A look that fails proves nothing, so the
// object counts as on its way.
func (w *waiter) look(ctx context.Context, o kube.Object) *status.Result {
	onItsWay := func(message string) *status.Result {
		return &status.Result{Status: status.InProgressStatus, Message: message}
	}
	live, err := w.cluster.Live(ctx, o)
	if err != nil {
		return onItsWay(err.Error())
	}
	if live == nil {
		return onItsWay("it is not there any more")
	}
	result, err := status.Compute(live)
	if err != nil {
		return onItsWay(err.Error())
	}
	if result.Status == status.CurrentStatus && kube.Kind(live) == kube.JobKind && !isComplete(live) {
		return onItsWay("the Job runs") // For kstatus it is there once it has started.
	}
	return result
}

func isComplete(job kube.Object) bool { return kube.HasCondition(job, "Complete") }
