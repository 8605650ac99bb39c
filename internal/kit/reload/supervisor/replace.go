//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/route"
)

// obstacle is why two versions cannot run beside each other.
type obstacle struct {
	why  string
	port int32 // that the program listens on whatever it is told, 0 if that is not why
}

func (o *obstacle) Error() string { return o.why }

// cannotMove is for a program that listens on a port whatever it is told.
func cannotMove(port int32) *obstacle {
	return &obstacle{why: fmt.Sprintf("it listens on port %d whatever it is told", port), port: port}
}

// serve replaces the instance that serves by one of another build, and answers when
// that has run for a moment, or says why it does not. As long as anything can be found
// to be wrong without that, the one before goes on.
func (s *Supervisor) serve(ctx context.Context, next wire.Build) answer {
	if next == (wire.Build{Executable: s.store.image}) {
		next = wire.Build{}
	}
	// A comment has changed, say: nothing is gained by a restart. A debugger goes
	// on without its program, so it is not known that this does.
	if next == s.serving.build && next.Debugger == "" {
		return answer{}
	}
	if err := s.fits(next); err != nil {
		return failure(err)
	}
	known := s.obstacle
	if port, listens := s.fixedPort(); listens {
		known = cannotMove(port)
	}
	if next.Debugger != "" && s.serving.build.Debugger != "" {
		known = &obstacle{why: "both run under the debugger"}
	}
	if known == nil {
		err := s.beside(ctx, next)
		found, isObstacle := errors.AsType[*obstacle](err)
		switch {
		case err == nil:
			return answer{}
		case !isObstacle:
			return failure(err)
		}
		known = found
	}
	if err := s.after(ctx, next, known); err != nil {
		return failure(err)
	}
	return answer{Note: "started when the version before had ended: " + known.why}
}

// fixedPort returns a port that the program listens on and cannot be told of. It may
// not listen on all that the manifests have.
func (s *Supervisor) fixedPort() (port int32, listens bool) {
	for _, port := range s.Container.Fixed {
		if route.Probe(int(port)) != nil {
			return port, true
		}
	}
	return 0, false
}

// beside starts a build beside the instance that serves, and lets it take over when it
// is ready. The error is an [*obstacle] if that is why it is not.
func (s *Supervisor) beside(ctx context.Context, next wire.Build) error {
	coming, err := s.start(next)
	if err != nil {
		return err
	}
	err = s.await(ctx, coming, s.serving)
	if err == nil {
		return s.takeOver(ctx, coming)
	}
	s.leaving.Go(func() { coming.stop(s.Grace) })
	if lock := s.serving.lock(); lock != nil && coming.isOver() && !coming.output.panicked() {
		return lock
	}
	if _, isObstacle := errors.AsType[*obstacle](err); !isObstacle {
		s.prune()
	}
	return err
}

// takeOver has the doors lead to an instance. The one before stays until the new one
// has run for a moment, and serves again if that ends.
func (s *Supervisor) takeOver(ctx context.Context, coming *instance) error {
	attempt := s.history.tries(coming.build)
	if err := s.store.setHistory(attempt); err != nil {
		s.leaving.Go(func() { coming.stop(s.Grace) })
		return fmt.Errorf("noting down %s: %w", coming.build, err)
	}
	s.doors.lead(coming)
	select {
	case <-coming.ended:
		s.doors.lead(s.serving)
		s.remember() // What it was.
		return coming.failure()
	case <-ctx.Done():
	case <-time.After(time.Until(coming.began.Add(settle))):
	}
	s.leave(s.serving)
	s.serves(coming, attempt)
	return nil
}

// after starts a build once the instance that serves has ended. Requests wait.
func (s *Supervisor) after(ctx context.Context, next wire.Build, known *obstacle) error {
	attempt := s.history.tries(next)
	if err := s.store.setHistory(attempt); err != nil {
		return fmt.Errorf("noting down %s: %w", next, err)
	}
	s.doors.lead(nil)
	for _, before := range s.left {
		before.askToEnd() // Requests wait now.
	}
	s.serving.leave(finishFirst, s.Grace)
	s.leaving.Wait()
	if s.doors.remove(known.port) {
		s.obstacle = known
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	started, err := s.start(next)
	if err == nil {
		err = s.await(ctx, started, nil)
	}
	if err == nil {
		s.doors.lead(started)
		err = started.staysFor(ctx, time.Until(started.began.Add(settle)))
	}
	if err != nil {
		if started != nil {
			started.stop(s.Grace)
		}
		s.goBack(attempt.failed())
		return err
	}
	s.serves(started, attempt)
	return nil
}

// serves takes note that an instance serves, on trial.
func (s *Supervisor) serves(i *instance, attempt history) {
	s.serving, s.history, s.proved = i, attempt, time.After(trial)
	s.lookOut(i)
	s.prune()
}

// prune removes the executables that are of no use any more.
func (s *Supervisor) prune() {
	if err := s.store.prune(s.history.Current, s.history.Before, s.history.Proved); err != nil {
		s.logf("removing old executables: %v", err)
	}
}

// maxLeaving is how many versions may be finishing what they have: the container has
// memory for a few. Of more, the one that left first is told to end.
const maxLeaving = 3

// leave lets an instance finish what it has.
func (s *Supervisor) leave(i *instance) {
	s.left = append(s.left, i)
	if len(s.left) > maxLeaving {
		s.left[0].askToEnd()
		s.left = s.left[1:]
	}
	s.leaving.Go(func() { i.leave(max(s.Grace-endWithin, s.Grace/2), s.Grace) })
}
