//go:build unix

package supervisor

import (
	"context"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

const (
	// trial is how long a build must have run to have proved itself. One that
	// ends sooner is taken to be broken.
	trial = 10 * time.Second
	// restartPause is between the end of a build that has proved itself and its
	// next start.
	restartPause = time.Second
)

// begin starts the current build of a history. The doors lead to it at once: as
// without a supervisor, whoever asks sees how it comes up.
func (s *Supervisor) begin(h history) error {
	started, err := s.start(h.Current)
	if err != nil {
		return err
	}
	s.serving, s.history, s.proved = started, h, nil
	s.doors.lead(started)
	if h.OnTrial {
		s.proved = time.After(trial)
	}
	s.remember()
	return nil
}

// recover decides what runs after the instance that serves has ended by itself. It
// reports false if that was the image's executable: as without a supervisor, the
// kubelet decides then.
func (s *Supervisor) recover(ctx context.Context) bool {
	failed, code := s.serving, exitCode(s.serving.status)
	s.doors.lead(nil)
	if ctx.Err() != nil {
		return false
	}
	failed.output.last() // Ports are known once that has been read.
	if port, missed := failed.missedPort(); missed && s.moveAside(port) {
		return s.goBack(s.history)
	}
	if failed.build == (wire.Build{}) {
		return false
	}
	// Delve ends well when somebody ends it, which says nothing about the program.
	if s.history.OnTrial && (failed.build.Debugger == "" || code != 0) {
		next := s.history.failed()
		s.logf("%s ended on trial: exit code %d; starting %s", failed.build, code, next.Current)
		return s.goBack(next)
	}
	s.logf("%s ended: exit code %d; starting it again", failed.build, code)
	return sleep(ctx, restartPause) == nil && s.goBack(s.history)
}

// goBack starts what ran before a build that has ended, or the one that is left. It
// reports false if not even that can be: then the container ends.
func (s *Supervisor) goBack(next history) bool {
	err := s.begin(next)
	if err != nil && next.OnTrial {
		s.logf("%v", err)
		err = s.begin(next.failed())
	}
	if err != nil {
		s.logf("%v", err)
	}
	return err == nil
}

// startAside starts the instance that serves once more if it could not listen on a
// port because the supervisor does: it is a program that cannot be told.
func (s *Supervisor) startAside(port int32) {
	if s.moveAside(port) {
		s.doors.lead(nil)
		s.serving.stop(s.Grace)
		s.goBack(s.history)
	}
}

// moveAside leaves a port to the program, and reports whether the supervisor had it.
func (s *Supervisor) moveAside(port int32) bool {
	if !s.doors.remove(port) {
		return false
	}
	s.obstacle = cannotMove(port)
	s.logf("%v: it gets that port, and no two versions run beside each other", s.obstacle)
	return true
}
