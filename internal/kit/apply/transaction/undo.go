package transaction

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// undoTimeout bounds how long a run that failed takes to undo what it did. Pods
// may take 30 s to end, by Kubernetes' default, and hold volumes for as long.
const undoTimeout = 2 * time.Minute

// Undo takes back what was sent because of a failure, the last first, and returns
// that failure with whatever could not be taken back.
func (t *Transaction) Undo(ctx context.Context, failure error) error {
	if ctx.Err() != nil {
		failure = context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	var stuck []error
	var going []kube.Object
	for i := len(t.entries) - 1; i >= 0; i-- {
		removed, err := t.undo(ctx, t.entries[i])
		if err != nil {
			stuck = append(stuck, fmt.Errorf("%s: %w", kube.Name(t.entries[i].object), err))
		} else if removed != nil {
			going = append(going, removed)
		}
	}
	// Only now: one may go only when another has, as a volume when its pod has.
	for _, o := range going {
		if err := t.cluster.AwaitGone(ctx, o); err != nil {
			stuck = append(stuck, err)
		}
	}
	if err := errors.Join(stuck...); err != nil {
		return fmt.Errorf("%w\nand some of what was changed before could not be undone: %w", failure, err)
	}
	return fmt.Errorf("the cluster is as it was: %w", failure)
}

// undo restores an object, or begins to remove it and returns it.
func (t *Transaction) undo(ctx context.Context, e entry) (removed kube.Object, err error) {
	live, err := t.cluster.Live(ctx, e.object)
	switch {
	case err != nil || live == nil:
		return nil, err
	case e.before == nil && isOurs(live):
		return live, client.IgnoreNotFound(t.cluster.Remove(ctx, live))
	case e.before == nil || live.GetResourceVersion() == e.before.GetResourceVersion():
		return nil, nil // Somebody else's, or never changed.
	}
	old := e.before.DeepCopy()
	old.SetResourceVersion(live.GetResourceVersion())
	return nil, t.cluster.Update(ctx, old, client.FieldOwner(plan.FieldManager))
}

// isOurs says whether this program had a hand in an object: one that somebody
// else made in the meantime is not removed.
func isOurs(live kube.Object) bool {
	for _, fields := range live.GetManagedFields() {
		if fields.Manager == plan.FieldManager {
			return true
		}
	}
	return false
}
