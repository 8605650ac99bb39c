// Package apply is the last stage of the pipeline, the only one that talks to a
// cluster: it applies, creates or deletes a set of objects, and waits for them.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/event"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/apply/readiness"
	"github.com/koshop/koshop/internal/kit/apply/transaction"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// Options are choices that people have.
type Options struct {
	plan.Options
	Wait    bool          // return when everything is ready
	Timeout time.Duration // how long to wait
	Atomic  bool          // if that fails, put back what was there before
	// Set is the set that applied objects belong to. If it has no name, there is no set.
	// If it has no namespace, its record is in the namespace that most objects are in.
	Set   applyset.Set
	Prune bool // with Wait, delete members that are not among the objects, once these are ready
	// Accepted is called once every object is accepted, before anything is changed; it
	// may be nil.
	Accepted func(context.Context) error
}

// Send applies or creates objects. Nothing is changed unless a server-side dry run
// accepts every object; if it does not, the error holds every refusal. If something
// fails after that, what was changed is undone.
func Send(ctx context.Context, c *kube.Cluster, objects []kube.Object, opts Options, log *progress.Log, report event.Report) error {
	task := log.Start(c.Host(), map[plan.Verb]string{plan.Apply: "applying", plan.Create: "creating"}[opts.Verb])
	defer task.Stop()
	m := &membership{cluster: c, set: opts.Set, prunes: opts.Prune, note: log.Printf}
	if opts.Verb == plan.Apply {
		opts.Read = m.join
	}
	p, err := plan.Make(ctx, plan.NewPlaces(c, objects, log.Printf), objects, opts.Options)
	if err != nil {
		return err
	}
	if opts.Accepted != nil {
		if err := opts.Accepted(ctx); err != nil {
			return err
		}
	}
	t := transaction.New(c, opts.Timeout, log)
	defer t.Close()
	if err := carryOut(ctx, p, t, m); err != nil {
		return t.Undo(ctx, err)
	}
	task.Stop()
	for _, change := range t.Done {
		report.Done(change.Object, string(change.Action))
	}
	m.tell(report)
	if !opts.Wait {
		return nil
	}
	if err = readiness.Wait(ctx, c, waitedFor(objects, t.Done), opts.Timeout, log, report); err == nil {
		err = m.prune(ctx, t, log, report)
	}
	switch {
	case err == nil:
		return nil
	case !opts.Atomic:
		return fmt.Errorf("kept: what was applied is in the cluster as it is: %w", err)
	}
	return undo(ctx, t, err, m.others, report)
}

// waitedFor returns what is waited for. Where nothing was changed, all is as it was when
// it was read a moment ago. Otherwise a change of one object may have had an effect on
// another, as that of a ConfigMap on the pods that mount it.
func waitedFor(objects []kube.Object, done []*plan.Change) readiness.Set {
	set := readiness.Set{Objects: objects}
	var live []kube.Object
	for _, change := range done {
		if change.Action == plan.Unchanged {
			set.Unchanged = append(set.Unchanged, change.Object)
			live = append(live, change.Before)
		}
	}
	if len(live) == len(objects) && !slices.Contains(live, nil) {
		set.Live = live
	}
	return set
}

// undo undoes a run that has failed after everything was sent, and what it has done to
// others than its own objects.
func undo(ctx context.Context, t *transaction.Transaction, failure error, others []kube.Object, report event.Report) error {
	err := t.Undo(ctx, failure)
	if incomplete, ok := errors.AsType[*transaction.IncompleteError](err); ok {
		return fmt.Errorf("%s undone: %w", map[bool]string{true: "not", false: "partly"}[incomplete.Nothing], err)
	}
	for _, change := range t.Done {
		if change.Action != plan.Unchanged {
			report.Done(change.Object, "undone")
		}
	}
	for _, o := range others {
		report.Done(o, "undone")
	}
	return fmt.Errorf("undone: %w", err)
}

// carryOut sends what others rest on, has the rest judged on that, and sends it.
func carryOut(ctx context.Context, p *plan.Plan, t *transaction.Transaction, m *membership) error {
	grounds, err := m.extend(ctx, t, p.Grounds)
	if err != nil {
		return err
	}
	if err := t.Send(ctx, grounds); err != nil {
		return err
	}
	if err := p.JudgeRest(ctx); err != nil {
		return err
	}
	return t.Send(ctx, p.Rest)
}
