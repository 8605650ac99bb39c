package apply

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/util/wait"
)

// schemaTimeout bounds how long the API server may take to judge objects by a
// definition that has just changed.
const schemaTimeout = 5 * time.Second

// send dry-runs every object, and only when the cluster accepts all of them
// sends them. Whatever fails after the first change, what was changed is undone.
//
// An object that rests on another of the set, such as its namespace, cannot be
// dry-run before that is in the cluster. So everything else is dry-run first;
// then the grounds are sent, the rest is dry-run on them, and then sent.
func (c *Cluster) send(ctx context.Context, objects []object, v verb, report Report) error {
	sort.Stable(ssa.SortableUnstructureds(objects))
	if err := c.placeAll(objects); err != nil {
		return err
	}
	grounds, err := c.newGrounds(ctx, objects)
	if err != nil {
		return err
	}
	now, later := split(objects, grounds)
	if err := c.dryRunAll(ctx, now, v); err != nil {
		return fmt.Errorf("nothing was changed in the cluster: %w", err)
	}
	first, rest := grounds, without(objects, grounds)
	if len(later) == 0 {
		first, rest = nil, objects
	}
	later = without(later, first) // A ground may rest on another: a ServiceAccount on its namespace.
	done := &journal{cluster: c}
	err = done.send(ctx, first, v)
	if err == nil {
		err = c.dryRunOn(ctx, first, later, v)
	}
	if err == nil {
		err = done.send(ctx, rest, v)
	}
	if err != nil {
		return done.undo(ctx, err)
	}
	for _, outcome := range done.outcomes {
		report(outcome)
	}
	return nil
}

// dryRunOn dry-runs objects once the grounds they rest on are in the cluster.
// The API server goes on judging by an old definition for a moment, so a
// refusal counts only after a while if the grounds include one.
func (c *Cluster) dryRunOn(ctx context.Context, grounds, objects []object, v verb) error {
	patience := time.Duration(0)
	for _, o := range grounds {
		if utils.IsCRD(o) {
			patience = schemaTimeout
			if err := c.await(ctx, o, "to be established", isEstablished); err != nil {
				return err
			}
		}
	}
	refused := c.dryRunAll(ctx, objects, v)
	if refused == nil || patience == 0 {
		return refused
	}
	err := wait.PollUntilContextTimeout(ctx, pollEvery, patience, false, func(ctx context.Context) (bool, error) {
		if err := c.dryRunAll(ctx, objects, v); ctx.Err() == nil {
			refused = err
		}
		return refused == nil, nil
	})
	if err != nil && refused == nil {
		return err
	}
	return refused
}

// dryRunAll returns every refusal, so that one run shows all there is to mend.
func (c *Cluster) dryRunAll(ctx context.Context, objects []object, v verb) error {
	refusals := make([]error, len(objects))
	slots := make(chan struct{}, concurrency)
	var group sync.WaitGroup
	for i, o := range objects {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			refusals[i] = v.dryRun(ctx, o)
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(refusals...)
}
