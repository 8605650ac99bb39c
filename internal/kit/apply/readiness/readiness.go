// Package readiness waits until the objects of a set are what they should be, and
// ends as soon as it is certain that they will not be.
package readiness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// errNotInTime ends the waiting for objects that are not ready yet.
var errNotInTime = errors.New("not in time")

const (
	// lookEvery is how often is looked whether time alone has changed anything.
	lookEvery = 500 * time.Millisecond
	// pause is how long changes are gathered before they are looked at.
	pause = 50 * time.Millisecond
)

// Set is what is waited for.
type Set struct {
	Objects []kube.Object
	// Unchanged are those of them that were as they should be before: what runs of
	// them has proven itself.
	Unchanged []kube.Object
	// Live are those of them that have just been read, as they are: the first look does
	// not read them again.
	Live []kube.Object
}

// Wait returns when every object is what it should be: rolled out, bound,
// established, or for a Job complete. It gives up when one has failed for good, when
// all that are not ready are held up and nothing is on its way any more, or when the
// timeout has passed. It says of each object that is not ready what holds it up.
func Wait(ctx context.Context, c *kube.Cluster, set Set, timeout time.Duration, log *progress.Log, report event.Report) error {
	inTime, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w: %s have passed", errNotInTime, timeout))
	defer cancel()
	w := newWaiter(c, set.Objects, &judgement{memory: newMemory(time.Now), set: set.Objects, changed: set.isChanged}, log, report)
	w.judgement.view.first(inTime, set.Live)
	if w = w.unready(); len(w.objects) == 0 {
		return nil
	}
	defer w.stopTasks()
	following, stop := context.WithCancel(inTime)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.judgement.view.follow(following, w.notice)
	}()
	done, err := w.wait(inTime)
	stop()
	<-ended
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case done:
		return nil
	}
	return w.explain(context.WithoutCancel(ctx), err)
}

func (s Set) isChanged(o kube.Object) bool {
	return !slices.ContainsFunc(s.Unchanged, func(unchanged kube.Object) bool { return kube.NameIn(unchanged) == kube.NameIn(o) })
}

// waiter waits for the objects of a set.
type waiter struct {
	cluster   *kube.Cluster
	log       *progress.Log
	report    event.Report
	objects   []kube.Object
	judgement *judgement
	changed   chan struct{}
	verdicts  []verdict
	tasks     []*progress.Task // of the objects that are not ready
}

// newWaiter returns what waits for objects, which it sees anew but judges as before.
func newWaiter(c *kube.Cluster, objects []kube.Object, as *judgement, log *progress.Log, report event.Report) *waiter {
	seen := newView(c, objects)
	return &waiter{
		cluster: c, log: log, report: report, objects: objects,
		judgement: &judgement{view: seen, first: cmp.Or(as.view, seen), memory: as.memory, set: as.set, changed: as.changed},
		changed:   make(chan struct{}, 1),
		verdicts:  make([]verdict, len(objects)),
		tasks:     make([]*progress.Task, len(objects)),
	}
}

// unready returns what waits for those that are not ready at the first look: what is
// ready at once, such as a Service, is not looked at again.
func (w *waiter) unready() *waiter {
	left := slices.DeleteFunc(slices.Clone(w.objects), func(o kube.Object) bool {
		v := w.judgement.judge(o)
		if v.state == ready {
			w.report.Waits(o, v.state.String(), v.message)
		}
		return v.state == ready
	})
	return newWaiter(w.cluster, left, w.judgement, w.log, w.report)
}

// notice says that something has changed.
func (w *waiter) notice() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// wait looks at the objects whenever something has changed. The error says why it
// ended before all was ready.
func (w *waiter) wait(ctx context.Context) (done bool, err error) {
	for {
		if done, err := w.look(); done || err != nil {
			return done, err
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-w.changed:
			time.Sleep(pause)
		case <-time.After(lookEvery):
		}
	}
}

// look judges every object, and decides whether there is anything to wait for.
func (w *waiter) look() (done bool, err error) {
	count := map[state]int{}
	for i, o := range w.objects {
		before, now := w.verdicts[i], w.judgement.judge(o)
		if now.state == failed && len(now.findings) == 0 {
			now.findings = before.findings // It is gone, and its pods are, too.
		}
		if now.state != unknown && (now.state != before.state || now.short() != before.short()) {
			w.report.Waits(o, now.state.String(), now.short())
		}
		if now.state == ready && before.state != ready {
			w.judgement.hasBecomeReady(o)
		}
		if now.state == failed {
			err = errors.Join(err, fmt.Errorf("%s has failed", kube.Name(o)))
		}
		count[now.state]++
		w.verdicts[i] = now
		w.show(i, o)
	}
	memory := w.judgement.memory
	switch {
	case err != nil || count[ready] == len(w.objects):
		return err == nil, err
	case count[progressing]+count[unknown] > 0:
		memory.forget("all are held up")
	case memory.since("all are held up") >= settle:
		return false, errors.New("nothing is on its way any more")
	}
	return false, nil
}

// show shows how an object is doing. Only what takes time is shown: a Service is
// ready at the first look.
func (w *waiter) show(i int, o kube.Object) {
	v := w.verdicts[i]
	switch {
	case v.state == unknown:
	case v.state == ready && w.tasks[i] != nil:
		w.tasks[i].Done("ready")
		w.tasks[i] = nil
	case v.state != ready && w.tasks[i] == nil:
		w.tasks[i] = w.log.Start(kube.Name(o), v.short())
	case v.state != ready:
		w.tasks[i].Step(v.short())
	}
}

func (w *waiter) stopTasks() {
	for _, task := range w.tasks {
		if task != nil {
			task.Stop()
		}
	}
}
