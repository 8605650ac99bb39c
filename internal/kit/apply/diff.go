package apply

import (
	"context"
	"fmt"
	"strings"

	"github.com/koshop/koshop/internal/kit/apply/applyset"
	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// Diff returns what [Send] would change with the same objects and options, with the
// reasons for their images, which may be nil. Nothing is changed in the cluster: all that
// is sent are dry runs. It fails where Send would be refused, with every refusal. What
// the API server judges only when other objects of the set are there, such as their
// namespace, is compared as the manifests have it, and log says so. With the option to
// prune, what would be pruned is among the changes, and log says why other members would
// be kept that are gone from the kustomization; permissions to delete are not asked for.
func Diff(ctx context.Context, c *kube.Cluster, objects []kube.Object, opts Options, reasons diff.Reasons, log *progress.Log) (*diff.Result, error) {
	task := log.Start(c.Host(), "comparing")
	defer task.Stop()
	m := &membership{cluster: c, set: opts.Set, note: log.Printf, prunes: opts.Prune, shows: true}
	opts.Read = m.join // Applied objects get, or keep, the label of their set.
	p, err := plan.Make(ctx, plan.NewPlaces(c, objects, log.Printf), objects, opts.Options)
	if err != nil {
		return nil, err
	}
	changes, guessed, err := p.Foresee(ctx)
	if err != nil {
		return nil, err
	}
	if len(guessed) > 0 {
		log.Printf("compared as the manifests have it, because the API server cannot judge it yet: %s", names(guessed))
	}
	pairs := make([]diff.Pair, len(changes))
	for i, change := range changes {
		pairs[i] = diff.Pair{Live: change.Before, Merged: change.After, Replaced: change.Action == plan.Replaced}
	}
	if opts.Prune {
		pruned, err := m.toPrune(ctx, changes)
		if err != nil {
			return nil, err
		}
		for _, o := range pruned {
			pairs = append(pairs, diff.Pair{Live: o})
		}
	}
	return diff.New(pairs, reasons)
}

// toPrune returns what would be pruned once changes are made and everything is ready, and
// notes what would be kept.
func (m *membership) toPrune(ctx context.Context, changes []*plan.Change) ([]kube.Object, error) {
	var present []kube.Object
	for _, change := range changes {
		present = append(present, change.After)
	}
	found, err := m.parent.Foresee(ctx, m.cluster, m.members, present)
	if err != nil {
		return nil, fmt.Errorf("--prune: %w", err)
	}
	candidates, _, err := applyset.ForeseeAdoptable(ctx, m.cluster, present)
	if err != nil {
		return nil, fmt.Errorf("--prune: %w", err)
	}
	usage, err := applyset.ForeseeUsage(ctx, m.cluster, found.Gone, present)
	if err != nil {
		return nil, fmt.Errorf("--prune: %w", err)
	}
	keep := func(o kube.Object, why string) { m.note("%s would be kept: %s", kube.NameIn(o), why) }
	var pruned []kube.Object
	for _, o := range found.Gone {
		if why := whyKept(o, usage); why != "" {
			usage.Keep(o)
			keep(o, why)
		} else {
			pruned = append(pruned, o)
		}
	}
	for _, kept := range found.Kept {
		if kept.Object.GetDeletionTimestamp() == nil {
			keep(kept.Object, kept.Why)
		}
	}
	for _, candidate := range candidates {
		pruned = append(pruned, candidate.Object)
	}
	return pruned, nil
}

// mostNames bounds how many objects a note names.
const mostNames = 5

// names returns what people call the objects of changes, as far as they are few.
func names(changes []*plan.Change) string {
	var all []string
	for _, change := range changes[:min(len(changes), mostNames)] {
		all = append(all, kube.Place(change.Object))
	}
	list := strings.Join(all, ", ")
	if more := len(changes) - mostNames; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
