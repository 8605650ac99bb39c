// Package apply is the last stage of the pipeline, the only one that talks to
// a cluster: it applies, creates or deletes a set of objects, after a
// server-side dry run of all of them.
package apply

import (
	"context"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/apply/transaction"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// Outcome is what happened to one object.
type Outcome struct {
	Object string // as kubectl prints it: deployment.apps/user-svc
	Action plan.Action
}

// Report is called for each object as it is dealt with, in order.
type Report func(Outcome)

// Send applies or creates objects. Nothing is changed unless a server-side dry run
// accepts every object; if it does not, the error holds every refusal. If something
// fails after that, what was changed is undone.
func Send(ctx context.Context, c *kube.Cluster, objects []kube.Object, opts plan.Options, log *progress.Log, report Report) error {
	p, err := plan.Make(ctx, plan.NewPlaces(c, objects, log.Printf), objects, opts)
	if err != nil {
		return err
	}
	t := transaction.New(c, log)
	err = t.Send(ctx, p.Grounds)
	if err == nil {
		err = p.JudgeRest(ctx)
	}
	if err == nil {
		err = t.Send(ctx, p.Rest)
	}
	if err != nil {
		return t.Undo(ctx, err)
	}
	for _, change := range t.Done {
		report(Outcome{Object: kube.Name(change.Object), Action: change.Action})
	}
	return nil
}
