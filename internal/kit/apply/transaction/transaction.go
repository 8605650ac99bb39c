// Package transaction changes a cluster, and remembers how it was, so that what was
// changed can be undone.
package transaction

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// Transaction is what a run does to a cluster.
type Transaction struct {
	Done []*plan.Change // in the order in which they were sent

	cluster *kube.Cluster
	entries []entry
}

// New begins a transaction.
func New(c *kube.Cluster) *Transaction { return &Transaction{cluster: c} }

// entry is one object that was sent.
type entry struct {
	object kube.Object
	before kube.Object // nil where there was none
}

// Send carries out changes in order and stops at the first that fails, which may
// have taken effect all the same.
func (t *Transaction) Send(ctx context.Context, changes []*plan.Change) error {
	for _, change := range changes {
		if err := t.send(ctx, change); err != nil {
			return err
		}
		t.Done = append(t.Done, change)
	}
	return nil
}

func (t *Transaction) send(ctx context.Context, change *plan.Change) error {
	if change.Action == plan.Unchanged {
		return nil
	}
	before, err := t.cluster.Live(ctx, change.Object) // It may have changed since it was judged.
	if err != nil {
		return err
	}
	t.entries = append(t.entries, entry{object: change.Object, before: before})
	err = t.write(ctx, change, before)
	if plan.IsGiven(change.Object, before, err) {
		change.Action = plan.Unchanged
		return nil
	}
	return plan.Refusal(change.Object, err)
}

func (t *Transaction) write(ctx context.Context, change *plan.Change, before kube.Object) error {
	o := change.Object.DeepCopy()
	if change.Verb == plan.Create {
		return t.cluster.Create(ctx, o, plan.CreateOptions()...)
	}
	if before != nil {
		if err := plan.TakeOver(ctx, t.cluster, before); err != nil {
			return err
		}
	}
	return t.cluster.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.ForceOwnership, client.FieldOwner(plan.FieldManager))
}
