// Package replica runs one replica of a workload: it starts instances of the version
// that it was given last, lets the old one serve until the new one is ready, and
// restarts what ends.
//
//	slot      decides what runs
//	restart   decides when what has ended is started again
//	instance  is a pod that runs; pod and running start and follow its programs
//	host      is what an instance finds on this machine: its directory, ports,
//	          claims, and programs that are not built from Go
package replica

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/up/board"
	"github.com/koshop/koshop/internal/kit/up/routes"
)

// Slot is one replica of a workload: it runs the version it was given last,
// through as many instances as that takes.
type Slot struct {
	*host
	versions latest[*Version]
	pass     func()      // lets those start that wait for a Job
	overdue  *time.Timer // lets them start though the Job still runs
	isJob    bool
	hinted   bool // whether it was said, in this series of restarts, what is not run here

	version *Version  // nil before the first
	serving *instance // nil while none is ready
	coming  *instance // nil unless one is on its way to serve
	leaving sync.WaitGroup
	backoff backoff
	retry   <-chan time.Time // nil unless a start is due
	crowded <-chan time.Time // nil unless an instance comes beside one that it may have to wait for
	tally   struct{ succeeded, failed int }
	done    bool // whether the version need not run any more
}

// New returns a slot that waits for its first version. What its containers print goes
// to output.
func New(m *Machine, id routes.Replica, isJob bool, row *board.Row, output func(container string) io.Writer) *Slot {
	s := &Slot{
		host:     &host{Machine: m, id: id, row: row, output: output},
		versions: newLatest[*Version](),
		isJob:    isJob,
		pass:     func() {},
	}
	if isJob {
		m.Jobs.expect()
		s.pass = sync.OnceFunc(m.Jobs.passed)
	}
	return s
}

// Give has the slot run a version, in the place of the one before.
func (s *Slot) Give(v *Version) { s.versions.put(v) }

// Pass lets those start that wait for this slot, if it is of a Job: it cannot run.
func (s *Slot) Pass() { s.pass() }

// Run is the slot's life until ctx ends. Instances live in run, the context of
// all slots, because those of a slot that is too many finish their requests.
func (s *Slot) Run(ctx, run context.Context) {
	defer s.stop(run)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case version := <-s.versions:
			s.take(run, version)
		case <-s.retry:
			s.begin(run)
		case <-s.crowded:
			s.yield()
		case <-s.coming.isReady():
			s.swap()
		case <-s.coming.hasEnded():
			s.comingEnded(ctx)
		case <-s.serving.hasEnded():
			s.servingEnded(ctx)
		case ready := <-s.serving.turns():
			s.turned(ready)
		}
	}
}

// take begins with a version, unless that is what runs, or has run to its end,
// already.
func (s *Slot) take(run context.Context, version *Version) {
	finished := s.done && version.same(s.version)
	s.version = version
	switch {
	case finished, s.coming.runs(version):
		return
	case s.serving.runs(version):
		s.stay()
		return
	}
	s.done, s.hinted = false, false
	s.backoff.reset()
	s.tally.succeeded, s.tally.failed = 0, 0
	s.begin(run)
}

// stay gives up an instance on its way, and the plan to start one: what serves
// is the version to run, for the second time if a change was taken back.
func (s *Slot) stay() {
	if s.coming == nil && s.retry == nil {
		return
	}
	if s.coming != nil {
		s.leaving.Go(s.coming.leave)
	}
	s.coming, s.retry, s.crowded = nil, nil, nil
	s.backoff.reset()
	s.row.Returns()
}

// begin starts an instance of the version, in the place of one that is not
// ready yet.
func (s *Slot) begin(run context.Context) {
	s.retry = nil
	if s.coming != nil {
		s.leaving.Go(s.coming.leave)
		s.coming = nil
	}
	if s.alone() {
		s.clear()
	}
	s.coming = s.start(run, s.version)
	s.crowded = nil
	if s.serving != nil && s.version.Workload.Exclusive {
		s.crowded = time.After(crowdedFor)
	}
	s.row.Starting(s.serving != nil)
	if s.isJob && s.overdue == nil {
		s.overdue = time.AfterFunc(jobsFirst, s.pass)
	}
}

// alone tells whether a new instance cannot run beside the one before: they
// would listen on the same port, or it is a Job, which there is one of.
func (s *Slot) alone() bool {
	return s.isJob || s.serving != nil && s.serving.pod.Fixed
}

// clear ends what runs, and waits for it. Requests wait as well.
func (s *Slot) clear() {
	if s.serving != nil {
		s.Routes.Clear(s.id, s.serving)
		s.serving.leave()
		s.serving = nil
	}
	s.leaving.Wait()
}

// crowdedFor is how long the next instance of an exclusive workload may take to
// be ready beside the one that serves. Most can share what they work on for a
// moment, so that no request waits; one that holds a lock cannot.
const crowdedFor = 10 * time.Second

// yield ends the instance that serves, because the next one seems to wait for
// what it holds.
func (s *Slot) yield() {
	s.crowded = nil
	if s.coming == nil || s.serving == nil {
		return
	}
	s.row.Yields()
	s.clear()
}

// swap lets the instance serve that has become ready. The one before takes no
// new request, finishes those in flight, and ends.
func (s *Slot) swap() {
	before := s.serving
	s.serving, s.coming = s.coming, nil
	s.Routes.Set(s.id, s.serving)
	s.retry, s.crowded = nil, nil
	if s.isJob {
		s.row.Runs()
		return
	}
	if before == nil {
		s.row.Ready(s.serving.took)
		return
	}
	if v := s.serving.version; before.runs(v) || v.Since.IsZero() {
		s.row.Replaced(s.serving.took)
	} else {
		s.row.Reloaded(s.serving.took, v.Built, v.Since)
	}
	s.leaving.Go(before.leave)
}
