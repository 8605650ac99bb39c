package transaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// undoTimeout bounds how long a run that failed takes to undo what it did. Pods
// may take 30 s to end, by Kubernetes' default, and hold volumes for as long.
const undoTimeout = 2 * time.Minute

// enoughSilence is after how many requests in a row without an answer an undo gives up:
// each may take as long as a connection does to be given up.
const enoughSilence = 3

// errSilent is why no more was undone.
var errSilent = errors.New("the API server does not answer")

// IncompleteError is the error of an undo that could not take back everything.
type IncompleteError struct {
	Failure error   // why it was undone
	Left    []error // each names an object that is not as it was
	Nothing bool    // nothing at all could be taken back
}

func (e *IncompleteError) Error() string {
	much := "what was changed before is undone, but not all of it"
	if e.Nothing {
		much = "what was changed before could not be undone"
	}
	return fmt.Sprintf("%v\n%s:\n%v", e.Failure, much, errors.Join(e.Left...))
}

// Unwrap returns the failure and what is left.
func (e *IncompleteError) Unwrap() []error { return append([]error{e.Failure}, e.Left...) }

// going is an object that is on its way out, after which its entry is done, or what
// was there before is made again.
type going struct {
	*entry
	live kube.Object
}

// Undo takes back what was sent because of a failure, the last first, and returns
// that failure, in an [*IncompleteError] if something could not be taken back. Of
// signals, the first is answered, and the second ends it.
func (t *Transaction) Undo(ctx context.Context, failure error) error {
	interrupted := ctx.Err() != nil
	if interrupted {
		failure = context.Cause(ctx)
	}
	if len(t.entries) == 0 {
		return fmt.Errorf("the cluster is as it was: %w", failure)
	}
	task := t.log.Start("undoing", "")
	defer task.Stop()
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), undoTimeout, fmt.Errorf("%s have passed", undoTimeout))
	defer cancel()
	ctx, release := t.untilSecondSignal(ctx, interrupted)
	defer release()

	var left []error
	var leaving []going
	silent := 0
	for _, e := range slices.Backward(t.entries) {
		task.Step(kube.Name(e.object))
		if silent == enoughSilence {
			left = append(left, leftOver(ctx, e.object, errSilent))
			continue
		}
		live, err := t.undo(ctx, e)
		if err != nil {
			left = append(left, leftOver(ctx, e.object, err))
		} else if live != nil {
			leaving = append(leaving, going{e, live})
		}
		if silent++; err == nil || apierrors.ReasonForError(err) != metav1.StatusReasonUnknown {
			silent = 0
		}
	}
	left = append(left, t.finish(ctx, leaving, task)...)
	if len(left) > 0 {
		return &IncompleteError{Failure: failure, Left: left, Nothing: len(left) == len(t.entries)}
	}
	return fmt.Errorf("the cluster is as it was: %w", failure)
}

// finish waits for objects to be gone, and makes again what was there before them.
// Only now: one may go only when another has, as a volume when its pod has.
func (t *Transaction) finish(ctx context.Context, leaving []going, task *progress.Task) (left []error) {
	if len(leaving) == 0 {
		return nil
	}
	held := map[types.UID]string{} // what holds those that are still there
	objects := make([]client.Object, len(leaving))
	for i, g := range leaving {
		objects[i], held[g.live.GetUID()] = g.live, ""
	}
	err := t.awaitGone(ctx, objects, held, task)
	for _, g := range leaving {
		heldBy, still := held[g.live.GetUID()]
		switch {
		case still && heldBy != "":
			left = append(left, leftOver(ctx, g.object, fmt.Errorf("it is being deleted, %s: %w", heldBy, err)))
		case still:
			left = append(left, leftOver(ctx, g.object, fmt.Errorf("it is being deleted: %w", err)))
		case g.before != nil:
			if err := remake(ctx, t.cluster, g.before); err != nil {
				left = append(left, leftOver(ctx, g.object, err))
			}
		}
	}
	return left
}

// awaitGone waits for objects to be gone, and keeps what holds the others. What somebody
// holds by a finalizer is not waited for longer than what is replaced.
func (t *Transaction) awaitGone(ctx context.Context, objects []client.Object, held map[types.UID]string, task *progress.Task) error {
	task.Step("waiting for what goes to be gone")
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	inVain := time.Now().Add(t.timeout)
	err := t.cluster.AwaitAllGone(ctx, objects, func(o client.Object, gone bool, heldBy string) {
		held[o.GetUID()] = heldBy
		if gone {
			delete(held, o.GetUID())
		} else if heldBy != "" {
			task.Step(kube.Name(o) + " is going, " + heldBy)
		}
		if time.Now().After(inVain) && areHeld(held) {
			stop(fmt.Errorf("%s have passed", t.timeout))
		}
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// areHeld says whether nothing is waited for but what somebody's finalizers hold.
func areHeld(held map[types.UID]string) bool {
	for _, heldBy := range held {
		if !strings.HasPrefix(heldBy, kube.ByFinalizer) {
			return false
		}
	}
	return len(held) > 0
}

// leftOver names an object that is not as it was.
func leftOver(ctx context.Context, o kube.Object, err error) error {
	if why := context.Cause(ctx); ctx.Err() != nil && !errors.Is(err, why) {
		err = why
	}
	return fmt.Errorf("  %s is not as it was: %w", kube.NameIn(o), err)
}

// undo restores an object, or returns the one that has to go first.
func (t *Transaction) undo(ctx context.Context, e *entry) (leaving kube.Object, err error) {
	live, err := t.cluster.Live(ctx, e.object)
	switch {
	case err != nil:
		return nil, err
	case live != nil && e.isTaken(live):
		return nil, errors.New("another run has changed it meanwhile")
	case live == nil && e.before == nil:
		return nil, nil
	case live == nil:
		return nil, remake(ctx, t.cluster, e.before)
	case e.before == nil || live.GetUID() != e.before.GetUID():
		return t.unmake(ctx, e, live)
	case live.GetDeletionTimestamp() != nil && e.before.GetDeletionTimestamp() == nil:
		return live, nil // It was to be replaced, and is on its way out.
	}
	return nil, t.restore(ctx, e.before, live)
}

// isTaken says whether somebody has changed an object since that is shared.
func (e *entry) isTaken(live kube.Object) bool {
	is := func(o kube.Object) bool { return o != nil && o.GetResourceVersion() == live.GetResourceVersion() }
	return e.shared && e.after != nil && !is(e.before) && !is(e.after)
}

// unmake begins to remove an object that this run has made.
func (t *Transaction) unmake(ctx context.Context, e *entry, live kube.Object) (removed kube.Object, err error) {
	if e.after != nil && live.GetUID() != e.after.GetUID() {
		return nil, errors.New("somebody else has made it meanwhile")
	}
	if others := others(live); e.after == nil && len(others) > 0 {
		return nil, fmt.Errorf("%s made it at the same time", strings.Join(others, " and "))
	}
	return live, client.IgnoreNotFound(t.cluster.Remove(ctx, live, kube.WithDependents))
}

// restore makes an object what it was, whoever has changed it since: its content,
// and then the record of who owns what.
func (t *Transaction) restore(ctx context.Context, before, live kube.Object) error {
	if live.GetResourceVersion() == before.GetResourceVersion() {
		return nil // It was never changed.
	}
	err := again(ctx, t.cluster, live, func(now kube.Object) error { return restore(ctx, t.cluster, before, now) })
	if err != nil {
		return err
	}
	return t.freeRollout(ctx, before, live)
}
