// Package diff shows what applying a set of objects would change in a cluster, as
// `kubectl diff` shows it: for each object a unified diff of its YAML, from the live
// object to the one that the API server returns for a dry run. Nothing is sent to a
// cluster here.
//
// As kubectl does, it leaves out metadata.managedFields and masks the values of
// Secrets. Unlike kubectl, it also leaves out what else the API server counts or makes
// up: metadata.resourceVersion and generation, and of an object that would be created,
// uid and creationTimestamp. So the same change gives the same text each time. And a
// Secret is masked also if it would be pruned, and in the annotation in which
// `kubectl apply` keeps a copy of it.
//
// The time it takes is bounded. Lines are compared whole, however long they are, and
// the diff is anchored at the lines that both texts have once, which takes n log n
// steps for n lines. It may not be the shortest diff if many lines are the same. All
// else takes time in proportion to the size of the objects.
package diff

import (
	"errors"
	"fmt"
	"slices"

	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kube"
)

// Pair is an object before and after it is applied. Neither state is changed here.
type Pair struct {
	// Live is the object in the cluster; nil if apply would create it.
	Live kube.Object
	// Merged is what the API server's dry run of the apply returned; nil if the object
	// would be pruned.
	Merged kube.Object
	// Replaced says that apply would delete the object and make it anew.
	Replaced bool
}

// Result is what applying a set of objects would change.
type Result struct {
	// Changes has one entry for each object: first those that are applied, in the order
	// in which they are sent, then those that are pruned, in the reverse of that order.
	Changes []Change
}

// New compares the states of objects, which may come in any order. Reasons may be nil.
// It fails if a pair has no object, or if an object cannot be written as YAML.
func New(pairs []Pair, reasons Reasons) (*Result, error) {
	sorted, err := inOrder(pairs)
	if err != nil {
		return nil, err
	}
	r := &Result{Changes: make([]Change, len(sorted))}
	for i, pair := range sorted {
		if r.Changes[i], err = pair.change(reasons); err != nil {
			return nil, fmt.Errorf("comparing %s with what is in the cluster: %w", kube.NameIn(pair.object()), err)
		}
	}
	return r, nil
}

// Differs says whether applying would change anything.
func (r *Result) Differs() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Outcome != Unchanged })
}

// inOrder sorts pairs in the order of [Result.Changes].
func inOrder(pairs []Pair) ([]Pair, error) {
	var applied, pruned []kube.Object
	of := map[kube.Object]Pair{}
	for _, pair := range pairs {
		switch {
		case pair.Merged != nil:
			applied = append(applied, pair.Merged)
		case pair.Live != nil:
			pruned = append(pruned, pair.Live)
		default:
			return nil, errors.New("there is nothing to compare: an object is neither in the cluster nor applied")
		}
		of[pair.object()] = pair
	}
	plan.InOrder(applied)
	plan.InOrder(pruned)
	slices.Reverse(pruned)
	sorted := make([]Pair, 0, len(pairs))
	for _, o := range append(applied, pruned...) {
		sorted = append(sorted, of[o])
	}
	return sorted, nil
}

// object is the pair's object as it would be, or as it is if it would be pruned.
func (p Pair) object() kube.Object {
	if p.Merged != nil {
		return p.Merged
	}
	return p.Live
}
