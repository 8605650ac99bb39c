//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

const (
	// trial is how long a build must have run to have proved itself. One that
	// ends sooner is taken to be broken.
	trial = 10 * time.Second
	// settle is how long a new build runs before its sender is told that it
	// does. A program that cannot start as a rule ends sooner.
	settle = 500 * time.Millisecond
	// restartPause is between the end of a build that has proved itself and its
	// next start.
	restartPause = time.Second
)

// Supervisor runs the program of a container.
type Supervisor struct {
	Program string        // the executable in the image
	Args    []string      // its arguments
	Dir     string        // keeps what is sent; it must be the pod's, such as an emptyDir
	Grace   time.Duration // how long the program may take to end when it is replaced
	Log     io.Writer     // what the supervisor says, a line in each Write

	store    *store
	reaper   *reaper
	child    *child  // nil once the container is to end
	code     int     // the exit code of the last child that ended
	history  history // what to start with when the container is restarted
	proved   <-chan time.Time
	requests chan *request
}

// Run runs the program until a signal ends it, or until the image's own
// executable ends by itself, and returns its exit code. A build that was sent
// does not end the container when it ends: on trial it gives way to the last one
// that has proved itself, and later it is started again. Signals to the
// supervisor reach the program.
func (s *Supervisor) Run() (code int, err error) {
	s.store = &store{dir: s.Dir}
	if err := s.store.open(s.Program); err != nil {
		return 1, fmt.Errorf("keeping the program: %w", err)
	}
	s.reaper = newReaper()
	ending, others := make(chan os.Signal, 1), make(chan os.Signal, 16)
	signal.Notify(ending, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	signal.Notify(others)
	defer signal.Stop(ending)
	defer signal.Stop(others)
	listener, err := s.listen()
	if err != nil {
		return 1, err
	}
	defer listener.Close()
	if s.history, err = s.store.history(); err != nil {
		s.logf("%v; starting %s", err, wire.Build{})
	}
	if err := s.carryOut(s.history); err != nil {
		s.logf("%v; starting %s", err, wire.Build{})
		if err := s.carryOut(history{}); err != nil {
			return 1, err
		}
	}
	return s.loop(ending, others), nil
}

func (s *Supervisor) listen() (net.Listener, error) {
	path := filepath.Join(s.Dir, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listening for executables: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening for executables: %w", err)
	}
	s.requests = make(chan *request)
	go s.accept(listener)
	return listener, nil
}

// loop is the only place that starts, stops and replaces the child. It returns
// the exit code of the last one.
func (s *Supervisor) loop(ending, others <-chan os.Signal) int {
	for s.child != nil {
		select {
		case received := <-ending:
			// The kubelet bounds how long the child takes.
			s.child.process.Signal(received)
			return exitCode(<-s.child.ended)
		case received := <-others:
			s.pass(received.(syscall.Signal))
		case status := <-s.child.ended:
			s.recover(status)
		case <-s.proved:
			s.history, s.proved = s.history.proved(), nil
			s.remember()
		case request := <-s.requests:
			request.answer <- s.serve(request.Build)
		}
	}
	return s.code
}

// pass gives a signal to the child that does not ask it to end.
func (s *Supervisor) pass(received syscall.Signal) {
	switch received {
	case syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT: // The loop's.
	case syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE: // The reaper's, and two that the Go runtime sends to itself.
	default:
		s.child.process.Signal(received)
	}
}

// recover decides what runs after the child has ended by itself. There is no
// child any more if that was the image's executable: as without a supervisor,
// the kubelet decides then.
func (s *Supervisor) recover(status syscall.WaitStatus) {
	failed := s.child
	failed.killGroup()
	s.child, s.code = nil, exitCode(status)
	if failed.build == (wire.Build{}) {
		return
	}
	// Delve ends well when somebody ends it, which says nothing about the program.
	if s.history.OnTrial && (failed.build.Debugger == "" || s.code != 0) {
		next := s.history.failed()
		s.logf("%s ended on trial: exit code %d; starting %s", failed.build, s.code, next.Current)
		s.goBack(next)
		return
	}
	s.logf("%s ended: exit code %d; starting it again", failed.build, s.code)
	time.Sleep(restartPause)
	if err := s.start(failed.build); err != nil {
		s.logf("%v", err)
	}
}

// goBack starts what ran before a build that has ended on trial, or the one
// that is left. If not even that can be, the container ends.
func (s *Supervisor) goBack(next history) {
	err := s.carryOut(next)
	if err != nil && next.OnTrial {
		s.logf("%v", err)
		err = s.carryOut(next.failed())
	}
	if err != nil {
		s.logf("%v", err)
	}
}

// carryOut starts the current build of a history.
func (s *Supervisor) carryOut(next history) error {
	s.history, s.proved = next, nil
	if err := s.start(next.Current); err != nil {
		return err
	}
	if next.OnTrial {
		s.proved = time.After(trial)
	}
	s.remember()
	return nil
}

// serve replaces the child by another build, and answers when that has run
// for a moment, or says why it does not. As long as anything can be found to be
// wrong without that, the child goes on.
func (s *Supervisor) serve(next wire.Build) answer {
	if next == (wire.Build{Executable: s.store.image}) {
		next = wire.Build{}
	}
	// A comment has changed, say: nothing is gained by a restart. A debugger goes
	// on without its program, so it is not known that this does.
	if next == s.child.build && next.Debugger == "" {
		return answer{}
	}
	if err := s.fits(next); err != nil {
		return failure(err)
	}
	attempt := s.history.tries(next)
	if err := s.store.setHistory(attempt); err != nil {
		return failure(fmt.Errorf("noting down %s: %w", next, err))
	}
	s.child.stop(s.Grace)
	s.child = nil
	if err := s.carryOut(attempt); err != nil {
		s.goBack(attempt.failed())
		return failure(err)
	}
	if err := s.store.prune(attempt.Current, attempt.Before, attempt.Proved); err != nil {
		s.logf("removing old executables: %v", err)
	}
	select {
	case status := <-s.child.ended:
		s.recover(status)
		return failure(fmt.Errorf("%s ended at once: exit code %d", next, s.code))
	case <-time.After(settle):
	}
	if next.Debugger != "" && childless(s.child.process.Pid) {
		return failure(fmt.Errorf("%s ended at once; the debugger holds what is left of it", next))
	}
	return answer{}
}

// remember notes down what to start with. If it cannot be noted down, a restart
// of the container begins with what was noted down before.
func (s *Supervisor) remember() {
	if err := s.store.setHistory(s.history); err != nil {
		s.logf("noting down what runs: %v", err)
	}
}

func (s *Supervisor) logf(format string, args ...any) {
	fmt.Fprintf(s.Log, "live-reload: "+format+"\n", args...)
}
