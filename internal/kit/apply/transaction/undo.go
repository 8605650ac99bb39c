package transaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kube"
)

// undoTimeout bounds how long a run that failed takes to undo what it did. Pods
// may take 30 s to end, by Kubernetes' default, and hold volumes for as long.
const undoTimeout = 2 * time.Minute

// Undo takes back what was sent because of a failure, the last first, and returns
// that failure with whatever could not be taken back. Of signals, the first is
// answered, and the second ends it.
func (t *Transaction) Undo(ctx context.Context, failure error) error {
	if ctx.Err() != nil {
		failure = context.Cause(ctx)
	}
	if len(t.entries) == 0 {
		return fmt.Errorf("the cluster is as it was: %w", failure)
	}
	task := t.log.Start("undoing", "")
	defer task.Stop()
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), undoTimeout, fmt.Errorf("%s have passed", undoTimeout))
	defer cancel()
	ctx, release := t.untilSecondSignal(ctx)
	defer release()

	var left []error
	var going []kube.Object
	for _, e := range slices.Backward(t.entries) {
		task.Step(kube.Name(e.object))
		removed, err := t.undo(ctx, e)
		if err != nil {
			left = append(left, leftOver(ctx, e.object, err))
		} else if removed != nil {
			going = append(going, removed)
		}
	}
	// Only now: one may go only when another has, as a volume when its pod has.
	for _, o := range going {
		task.Step(kube.Name(o) + " is going")
		if err := t.cluster.AwaitGone(ctx, o); err != nil {
			left = append(left, leftOver(ctx, o, err))
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%w\nwhat was changed before is undone, but not all of it:\n%w", failure, errors.Join(left...))
	}
	return fmt.Errorf("the cluster is as it was: %w", failure)
}

// leftOver names an object that is not as it was.
func leftOver(ctx context.Context, o kube.Object, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("  %s is not as it was: %w", kube.NameIn(o), err)
}

// undo restores an object, or begins to remove it and returns it.
func (t *Transaction) undo(ctx context.Context, e *entry) (removed kube.Object, err error) {
	live, err := t.cluster.Live(ctx, e.object)
	switch {
	case err != nil:
		return nil, err
	case live == nil && e.before == nil:
		return nil, nil
	case live == nil:
		return nil, remake(ctx, t.cluster, e.before)
	case e.before == nil:
		return t.unmake(ctx, e, live)
	case live.GetUID() == e.before.GetUID():
		return nil, t.restore(ctx, e.before, live)
	}
	if removed, err = t.unmake(ctx, e, live); err != nil || removed == nil {
		return nil, err
	}
	if err := t.cluster.AwaitGone(ctx, removed); err != nil {
		return nil, err
	}
	return nil, remake(ctx, t.cluster, e.before)
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
	for attempt := 1; ; attempt++ {
		if live.GetResourceVersion() == before.GetResourceVersion() {
			return nil // It was never changed.
		}
		err := restore(ctx, t.cluster, before, live)
		if !apierrors.IsConflict(err) || attempt == attempts {
			return err
		}
		if live, err = t.cluster.Live(ctx, before); err != nil || live == nil {
			return err
		}
	}
}
