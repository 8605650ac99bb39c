//go:build unix

package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/koshop/koshop/internal/kit/probe"
	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/route"
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
	s.lookOut(started)
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

// arrival is that something listens on a port whose door is not open yet.
type arrival struct {
	port   int32
	itself bool // on the container's port, and not where the program was told to
}

const (
	// lookEvery is how often it is looked whether an instance listens.
	lookEvery = 20 * time.Millisecond
	// looks is how often in a row a port must be in use, by a process that cannot be found
	// out, until that process is taken to be the instance.
	looks = 5
)

// lookOut waits until an instance that serves listens, for the doors that are not open.
func (s *Supervisor) lookOut(i *instance) {
	for _, port := range s.doors.shut() {
		go s.lookOutFor(i, port) // Ends with the instance.
	}
}

func (s *Supervisor) lookOutFor(i *instance, port int32) {
	pause := time.NewTicker(lookEvery)
	defer pause.Stop()
	for unknown := 0; ; {
		if probe.Check(context.Background(), i.listens(i.ports[port]), nil) == nil {
			s.arrivals <- arrival{port: port}
			return
		}
		ours, known := isTakenByOurs(int(port))
		if unknown++; known {
			unknown = 0
		}
		if ours || unknown == looks {
			s.arrivals <- arrival{port: port, itself: true}
			return
		}
		select {
		case <-i.ended:
			return
		case <-pause.C:
		}
	}
}

// isTakenByOurs reports whether a program of this container listens on a port, as far as it is
// known. Where others have the same network, they may listen there for a moment to see whether
// the port is free.
func isTakenByOurs(port int) (ours, known bool) {
	busy, isBusy := errors.AsType[*route.BusyError](route.Probe(port))
	if !isBusy {
		return false, true
	}
	return busy.Process != 0 && descends(busy.Process), busy.Process != 0
}

// arrived opens a door, or leaves its port to the program that listens there whatever it
// is told.
func (s *Supervisor) arrived(a arrival) {
	if a.itself {
		if s.doors.all[a.port] != nil && s.doors.all[a.port].listener == nil {
			s.doors.remove(a.port)
			s.obstacle = cannotMove(a.port)
			s.logf("%v: no two versions run beside each other", s.obstacle)
		}
		return
	}
	if err := s.doors.open(a.port); err != nil {
		s.logf("%v", err)
		s.doors.remove(a.port)
	}
}
