package apply

import (
	"context"
	"fmt"
	"strings"

	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kube"
)

// Diff returns what [Send] would change with the same objects and options, with the
// reasons for their images, which may be nil. Nothing is changed in the cluster: all that
// is sent are dry runs. It fails where Send would be refused, with every refusal. What
// the API server judges only when other objects of the set are there, such as their
// namespace, is compared as the manifests have it, and log says so. What would be pruned
// is not among the changes.
func Diff(ctx context.Context, c *kube.Cluster, objects []kube.Object, opts Options, reasons diff.Reasons, log *progress.Log) (*diff.Result, error) {
	task := log.Start(c.Host(), "comparing")
	defer task.Stop()
	m := &membership{cluster: c, set: opts.Set, note: log.Printf}
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
	return diff.New(pairs, reasons)
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
