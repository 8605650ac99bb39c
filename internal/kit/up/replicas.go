package up

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/workload"
)

// replicas are the slots of one workload.
type replicas struct {
	workload *workload.Workload
	plan     *workload.Plan
	given    *given
	slots    []*slot
	newest   *version // nil before the first
}

// nudge starts at once what waits for its next start: a person who saves a
// file does not wait for the back-off. What runs is left alone.
func (r *replicas) nudge() {
	if r.newest == nil {
		return
	}
	for _, s := range r.slots {
		s.versions.put(r.newest)
	}
}

// name tells workloads apart.
func name(w *workload.Workload) string { return w.Namespace + "/" + w.String() }

// reconcile makes the slots those that the plan asks for, rolls out what has
// changed in it, and has built what was not built before.
func (l *loop) reconcile(ctx context.Context) {
	wanted := map[string]bool{}
	for _, w := range l.plan.Workloads {
		wanted[name(w)] = true
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
	for _, importPath := range l.builds.want(importPaths(l.plan)) {
		l.builds.list(ctx, importPath)
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
	r := l.replicas[name(w)]
	if r == nil {
		r = &replicas{workload: w}
		l.replicas[name(w)] = r
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
	v := &version{
		plan: r.plan, workload: r.workload, services: r.given.services, built: built, since: since,
		executables: map[string]string{}, sources: map[string]string{},
	}
	content := []string{r.workload.Fingerprint(), r.given.contentFor(r.workload)}
	for _, importPath := range r.workload.ImportPaths() {
		a := l.builds.artifacts[importPath]
		if a == nil || a.executable == "" {
			return
		}
		v.executables[importPath] = a.executable
		v.sources[importPath] = a.inputs.Dir
		content = append(content, importPath, a.digest)
	}
	v.content = strings.Join(content, " ")
	r.newest = v
	for _, s := range slots {
		s.versions.put(v)
	}
}

// newSlot starts a slot, which waits for its first version.
func (l *loop) newSlot(ctx context.Context, w *workload.Workload, replica int) *slot {
	s := &slot{
		host: &host{
			id:    slotID{workload: name(w), replica: replica},
			state: l.state, group: l.group, finder: l.finder, routes: l.routes, jobs: l.jobs, ports: l.ports, opts: l.opts,
			row:    l.board.add(w, replica, func() []string { return l.routes.entrances(name(w)) }),
			output: l.logs.of(w, replica),
		},
		versions: newLatest[*version](),
		isJob:    w.Kind == "Job",
		pass:     func() {},
	}
	if s.isJob {
		l.jobs.expect()
		s.pass = sync.OnceFunc(l.jobs.passed)
	}
	slots := &l.slots
	if !w.IsBuilt() {
		ctx, slots = l.late.ctx, &l.late.WaitGroup
	}
	own, end := context.WithCancel(ctx)
	s.end = end
	slots.Go(func() {
		defer end()
		defer l.board.remove(s.row)
		s.run(own, ctx)
	})
	return s
}
