package up

import (
	"context"
	"sync"
	"time"
)

// slotID tells slots apart.
type slotID struct {
	workload string
	replica  int
}

// slot is one replica of a workload: it runs the version it was given last,
// through as many instances as that takes.
type slot struct {
	*host
	versions latest[*version]
	end      context.CancelFunc // for a slot that is too many
	pass     func()             // lets those start that wait for a Job
	overdue  *time.Timer        // lets them start though the Job still runs
	isJob    bool
	hinted   bool // whether it was said, in this series of restarts, what is not run here

	version *version  // nil before the first
	serving *instance // nil while none is ready
	coming  *instance // nil unless one is on its way to serve
	leaving sync.WaitGroup
	backoff backoff
	retry   <-chan time.Time // nil unless a start is due
	crowded <-chan time.Time // nil unless an instance comes beside one that it may have to wait for
	tally   struct{ succeeded, failed int }
	done    bool // whether the version need not run any more
}

// run is the slot's life until ctx ends. Instances live in run, the context of
// all slots, because those of a slot that is too many finish their requests.
func (s *slot) run(ctx, run context.Context) {
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
func (s *slot) take(run context.Context, version *version) {
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
func (s *slot) stay() {
	if s.coming == nil && s.retry == nil {
		return
	}
	if s.coming != nil {
		s.leaving.Go(s.coming.leave)
	}
	s.coming, s.retry, s.crowded = nil, nil, nil
	s.backoff.reset()
	s.row.returns()
}

// begin starts an instance of the version, in the place of one that is not
// ready yet.
func (s *slot) begin(run context.Context) {
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
	if s.serving != nil && s.version.workload.Exclusive {
		s.crowded = time.After(crowdedFor)
	}
	s.row.starting(s.serving != nil)
	if s.isJob && s.overdue == nil {
		s.overdue = time.AfterFunc(jobsFirst, s.pass)
	}
}

// alone tells whether a new instance cannot run beside the one before: they
// would listen on the same port, or it is a Job, which there is one of.
func (s *slot) alone() bool {
	return s.isJob || s.serving != nil && s.serving.pod.Fixed
}

// clear ends what runs, and waits for it. Requests wait as well.
func (s *slot) clear() {
	if s.serving != nil {
		s.routes.clear(s.id, s.serving)
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
func (s *slot) yield() {
	s.crowded = nil
	if s.coming == nil || s.serving == nil {
		return
	}
	s.row.yields()
	s.clear()
}

// swap lets the instance serve that has become ready. The one before takes no
// new request, finishes those in flight, and ends.
func (s *slot) swap() {
	before := s.serving
	s.serving, s.coming = s.coming, nil
	s.routes.set(s.id, s.serving)
	s.retry, s.crowded = nil, nil
	if s.isJob {
		s.row.runs()
		return
	}
	if before == nil {
		s.row.ready(s.serving)
		return
	}
	s.row.replaces(s.serving, before)
	s.leaving.Go(before.leave)
}

// comingEnded tries again what ended before it was ready. An instance that
// serves goes on meanwhile, so that there is no hurry.
func (s *slot) comingEnded(ctx context.Context) {
	ended := s.coming
	s.coming = nil
	switch {
	case ctx.Err() != nil:
	case s.serving == nil:
		s.again(ended)
	case isSetupError(ended.err):
		s.row.cannotStart(ended)
	case lacksRoom(ended.err):
		s.row.yields()
		s.clear()
		s.retry = time.After(0)
	default:
		wait := max(s.backoff.ended(time.Since(ended.began)), firstBackoff)
		s.row.stays(ended, wait)
		s.hint()
		s.retry = time.After(wait)
	}
}

func (s *slot) servingEnded(ctx context.Context) {
	ended := s.serving
	s.serving = nil
	s.routes.clear(s.id, ended)
	switch {
	case ctx.Err() != nil:
	case s.coming == nil:
		s.again(ended)
	default:
		s.row.lost(ended)
	}
}

func (s *slot) turned(ready bool) {
	if !ready {
		s.routes.clear(s.id, s.serving)
		s.row.notReady()
		return
	}
	s.routes.set(s.id, s.serving)
	s.row.readyAgain()
}

// stop ends what runs and waits for it. While the others run on, requests in
// flight are finished.
func (s *slot) stop(run context.Context) {
	for _, i := range []*instance{s.coming, s.serving} {
		switch {
		case i == nil:
		case run.Err() != nil:
			i.cancel()
			<-i.ended
		default:
			s.routes.clear(s.id, i)
			i.leave()
		}
	}
	s.leaving.Wait()
	if s.overdue != nil {
		s.overdue.Stop()
	}
	s.pass() // What waits for this Job would wait forever.
}
