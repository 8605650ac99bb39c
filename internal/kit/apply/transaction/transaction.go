package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/pkg/ssa"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// undoTimeout bounds how long a run that failed takes to undo what it did. Pods
// may take 30 s to end, by Kubernetes' default, and hold volumes for as long.
const undoTimeout = 2 * time.Minute

// journal remembers what a run does to the cluster, so that it can be undone.
type journal struct {
	cluster  *Cluster
	entries  []entry
	outcomes []Outcome
}

// entry is one object that was sent.
type entry struct {
	object object
	before object // nil where there was none
	action string // "" where the sending failed, which may be after it took effect
}

// send sends objects in order and stops at the first that fails.
func (j *journal) send(ctx context.Context, objects []object, v verb) error {
	for _, o := range objects {
		before, err := j.cluster.live(ctx, o)
		if err != nil {
			return err
		}
		action, err := v.run(ctx, o)
		j.entries = append(j.entries, entry{object: o, before: before, action: action})
		if err != nil {
			return err
		}
		j.outcomes = append(j.outcomes, Outcome{Object: reference(o), Action: action})
	}
	return nil
}

// undo takes back what was sent because of a failure, the last first, and
// returns that failure with whatever could not be taken back.
func (j *journal) undo(ctx context.Context, failure error) error {
	if ctx.Err() != nil {
		failure = context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	var stuck []error
	var going []object
	for i := len(j.entries) - 1; i >= 0; i-- {
		removed, err := j.cluster.undo(ctx, j.entries[i])
		if err != nil {
			stuck = append(stuck, fmt.Errorf("%s: %w", reference(j.entries[i].object), err))
		} else if removed != nil {
			going = append(going, removed)
		}
	}
	// Only now: one may go only when another has, as a volume when its pod has.
	for _, o := range going {
		if err := j.cluster.awaitGone(ctx, o); err != nil {
			stuck = append(stuck, err)
		}
	}
	if err := errors.Join(stuck...); err != nil {
		return fmt.Errorf("%w\nand some of what was changed before could not be undone: %w", failure, err)
	}
	return fmt.Errorf("the cluster is as it was: %w", failure)
}

// undo restores an object, or begins to remove it and returns it.
func (c *Cluster) undo(ctx context.Context, e entry) (removed object, err error) {
	if e.action == ssa.UnchangedAction.String() {
		return nil, nil
	}
	live, err := c.live(ctx, e.object)
	switch {
	case err != nil || live == nil:
		return nil, err
	case e.before == nil && isOurs(live):
		return live, client.IgnoreNotFound(c.remove(ctx, live))
	case e.before == nil || live.GetResourceVersion() == e.before.GetResourceVersion():
		return nil, nil // Somebody else's, or never changed.
	}
	old := e.before.DeepCopy()
	old.SetResourceVersion(live.GetResourceVersion())
	return nil, c.client.Update(ctx, old, client.FieldOwner(fieldManager))
}

// isOurs says whether this program had a hand in an object: one that somebody
// else made in the meantime is not removed.
func isOurs(live object) bool {
	for _, fields := range live.GetManagedFields() {
		if fields.Manager == fieldManager {
			return true
		}
	}
	return false
}
