// Package transaction changes a cluster, and remembers how it was, so that what was
// changed can be undone.
package transaction

import (
	"context"
	"fmt"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// Transaction is what a run does to a cluster.
type Transaction struct {
	Done []*plan.Change // in the order in which they were sent

	cluster *kube.Cluster
	log     *progress.Log
	timeout time.Duration // how long an object that is replaced may take to go
	entries []*entry
	signals chan os.Signal
}

// New begins a transaction, which takes the signals of the program until it is closed.
// An object that is replaced may take as long as timeout to go, with its pods.
func New(c *kube.Cluster, timeout time.Duration, log *progress.Log) *Transaction {
	t := &Transaction{cluster: c, log: log, timeout: timeout, signals: make(chan os.Signal, 3)}
	t.listen()
	return t
}

// entry is one object that was sent.
type entry struct {
	object kube.Object
	before kube.Object // nil where there was none
	after  kube.Object // what came of it; nil where that is not known
	shared bool        // undone only if nobody has changed it since
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

// attempts is how often an object is sent that others change meanwhile.
const attempts = 5

func (t *Transaction) send(ctx context.Context, change *plan.Change) error {
	if change.Action == plan.Unchanged {
		return nil
	}
	before, err := t.cluster.Live(ctx, change.Object) // It may have changed since it was judged.
	if err != nil {
		return err
	}
	e := &entry{object: change.Object, before: before}
	t.entries = append(t.entries, e)
	for attempt := 1; ; attempt++ {
		settled := change.Settle(ctx, before)
		e.after, err = t.write(ctx, change, before)
		switch {
		case plan.IsGiven(change.Object, before, err):
			change.Action = plan.Unchanged
			return nil
		case err == nil:
			change.Sent(before, e.after)
			return nil
		case !apierrors.IsConflict(err) || plan.IsFieldConflict(err) && !settled || attempt == attempts:
			return plan.Refusal(change.Object, err)
		}
		if before, err = t.cluster.Live(ctx, change.Object); err != nil { // An autoscaler or a controller was faster.
			return err
		}
	}
}

// write sends a change and returns what came of it.
func (t *Transaction) write(ctx context.Context, change *plan.Change, before kube.Object) (after kube.Object, err error) {
	o := change.Object.DeepCopy()
	if change.Verb == plan.Create {
		if err := t.cluster.Create(ctx, o, plan.CreateOptions()...); err != nil {
			return nil, err
		}
		return t.lend(ctx, change, o)
	}
	switch {
	case before == nil:
	case change.Action == plan.Replaced:
		if err := t.remove(ctx, before); err != nil {
			return nil, err
		}
	default:
		if err := plan.TakeOver(ctx, t.cluster, before); err != nil {
			return nil, err
		}
	}
	if err := t.cluster.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), plan.ApplyOptions(change.Force)...); err != nil {
		return nil, err
	}
	return t.lend(ctx, change, o)
}

// lend lends an object under live reload: see [plan.Lend].
func (t *Transaction) lend(ctx context.Context, change *plan.Change, sent kube.Object) (after kube.Object, err error) {
	if !plan.IsLent(change.Object) {
		return sent, nil
	}
	return plan.Lend(ctx, t.cluster, change.Object)
}

// remove deletes an object that is made anew, with all that it has made.
func (t *Transaction) remove(ctx context.Context, live kube.Object) error {
	task := t.log.Start(kube.Name(live), "going, to be made anew")
	defer task.Stop()
	if err := t.cluster.Remove(ctx, live, kube.WithDependents); client.IgnoreNotFound(err) != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.timeout, fmt.Errorf("%s have passed", t.timeout))
	defer cancel()
	return t.cluster.AwaitAllGone(ctx, []client.Object{live}, func(_ client.Object, _ bool, heldBy string) {
		if heldBy != "" {
			task.Step("going, " + heldBy)
		}
	})
}
