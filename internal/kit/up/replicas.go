package up

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/kit/up/replica"
	"github.com/koshop/koshop/internal/kit/up/routes"
	"github.com/koshop/koshop/internal/kit/workload"
)

// replicas are the slots of one workload.
type replicas struct {
	workload *workload.Workload
	plan     *workload.Plan
	given    *given
	slots    []*slot
	newest   *replica.Version // nil before the first
}

// slot is one of them.
type slot struct {
	*replica.Slot
	end context.CancelFunc // for one that is too many
}

// nudge starts at once what waits for its next start: a person who saves a
// file does not wait for the back-off. What runs is left alone.
func (r *replicas) nudge() {
	if r.newest == nil {
		return
	}
	for _, s := range r.slots {
		s.Give(r.newest)
	}
}

// reconcile makes the slots those that the plan asks for, rolls out what has
// changed in it, and has built what was not built before.
func (l *loop) reconcile(ctx context.Context) {
	wanted := map[string]bool{}
	for _, w := range l.plan.Workloads {
		wanted[w.ID()] = true
	}
	for id, r := range l.replicas {
		if !wanted[id] {
			r.shrink(0)
			delete(l.replicas, id)
		}
	}
	for _, w := range l.plan.Workloads {
		l.reconcileOne(ctx, w)
	}
	for _, importPath := range l.builds.Want(importPaths(l.plan)) {
		l.builds.List(ctx, importPath)
	}
}

func importPaths(plan *workload.Plan) []string {
	var paths []string
	for _, w := range plan.Workloads {
		paths = append(paths, w.ImportPaths()...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

func (l *loop) reconcileOne(ctx context.Context, w *workload.Workload) {
	r := l.replicas[w.ID()]
	if r == nil {
		r = &replicas{workload: w}
		l.replicas[w.ID()] = r
	}
	changed := r.given == nil || r.workload.Fingerprint() != w.Fingerprint() || r.given.contentFor(w) != l.given.contentFor(w)
	r.workload, r.plan, r.given = w, l.plan, l.given
	r.shrink(w.Replicas)
	old := r.slots
	for len(r.slots) < w.Replicas {
		r.slots = append(r.slots, l.newSlot(ctx, w, len(r.slots)))
	}
	if changed {
		old = nil
	}
	l.roll(r, r.slots[len(old):], 0, time.Time{})
}

// shrink ends the slots that are too many.
func (r *replicas) shrink(n int) {
	for _, surplus := range r.slots[min(n, len(r.slots)):] {
		surplus.end()
	}
	r.slots = r.slots[:min(n, len(r.slots))]
}

// roll gives slots the newest version, once there is an executable of
// everything in it.
func (l *loop) roll(r *replicas, slots []*slot, built time.Duration, since time.Time) {
	v := &replica.Version{
		Plan: r.plan, Workload: r.workload, Services: r.given.services, Built: built, Since: since,
		Executables: map[string]string{}, Sources: map[string]string{},
	}
	content := []string{r.workload.Fingerprint(), r.given.contentFor(r.workload)}
	for _, importPath := range r.workload.ImportPaths() {
		a := l.builds.Artifact(importPath)
		if a == nil || a.Executable == "" {
			return
		}
		v.Executables[importPath] = a.Executable
		v.Sources[importPath] = a.Dir()
		content = append(content, importPath, a.Digest)
	}
	v.Content = strings.Join(content, " ")
	r.newest = v
	for _, s := range slots {
		s.Give(v)
	}
}

// newSlot starts a slot, which waits for its first version.
func (l *loop) newSlot(ctx context.Context, w *workload.Workload, number int) *slot {
	row := l.board.Add(w, number, func() []string { return l.routes.Entrances(w.ID()) })
	id := routes.Replica{Workload: w.ID(), Number: number}
	s := &slot{Slot: replica.New(l.machine, id, w.Kind == "Job", row, l.logs.of(w, number))}
	slots := &l.slots
	if !w.IsBuilt() {
		ctx, slots = l.late.ctx, &l.late.WaitGroup
	}
	own, end := context.WithCancel(ctx)
	s.end = end
	slots.Go(func() {
		defer end()
		defer l.board.Remove(row)
		s.Run(own, ctx)
	})
	return s
}
