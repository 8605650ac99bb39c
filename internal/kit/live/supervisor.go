//go:build unix

package live

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
)

const (
	// trial is how long an executable must have run to be started again when it
	// ends by itself. One that ends sooner is taken to be broken.
	trial = 10 * time.Second
	// settle is how long a new executable runs before its sender is told that it
	// does. A program that cannot start as a rule ends sooner.
	settle = 500 * time.Millisecond
	// restartPause is between the end of an executable that has proved itself and
	// its next start.
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
	fallback version // ran before the child did
	requests chan *request
}

// Run runs the program until a signal ends it, or until the image's own
// executable ends by itself, and returns its exit code. An executable that was
// sent does not end the container when it ends: the one before it takes over,
// or the image's. Signals to the supervisor reach the program.
func (s *Supervisor) Run() (code int, err error) {
	s.store = &store{dir: s.Dir}
	if err := s.store.open(s.Program); err != nil {
		return 1, fmt.Errorf("keeping the program: %w", err)
	}
	s.reaper = newReaper()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals)
	defer signal.Stop(signals)
	listener, err := s.listen()
	if err != nil {
		return 1, err
	}
	defer listener.Close()
	current, err := s.store.current()
	if err != nil {
		return 1, fmt.Errorf("finding the executable that was sent last: %w", err)
	}
	if s.child, err = s.start(current); err != nil && current != (version{}) {
		s.logf("%v; starting %s", err, version{})
		err = s.run(version{})
	}
	if err != nil {
		return 1, fmt.Errorf("starting the program: %w", err)
	}
	return s.loop(signals), nil
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
func (s *Supervisor) loop(signals <-chan os.Signal) int {
	for s.child != nil {
		select {
		case received := <-signals:
			s.pass(received.(syscall.Signal))
		case status := <-s.child.ended:
			if err := s.recover(status); err != nil {
				s.logf("%v", err)
			}
		case request := <-s.requests:
			request.answer <- s.serve(request.version)
		}
	}
	return s.code
}

// pass gives a signal to the child. One that asks programs to end is the
// supervisor's last; the kubelet bounds how long the child takes.
func (s *Supervisor) pass(received syscall.Signal) {
	switch received {
	case syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE:
		return // The reaper's, and two that the Go runtime sends to itself.
	}
	s.child.process.Signal(received)
	switch received {
	case syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT:
		s.code = exitCode(<-s.child.ended)
		s.child = nil
	}
}

// recover decides what runs after the child has ended by itself. There is no
// child any more if that was the image's executable: as without a supervisor,
// the kubelet decides then.
func (s *Supervisor) recover(status syscall.WaitStatus) error {
	failed := s.child
	failed.killGroup()
	s.child, s.code = nil, exitCode(status)
	if failed.version == (version{}) {
		return nil
	}
	next := failed.version
	if time.Since(failed.since) < trial {
		next, s.fallback = s.fallback, version{}
	}
	s.logf("%s ended: exit code %d; starting %s", failed.version, s.code, next)
	if next == failed.version {
		time.Sleep(restartPause)
	}
	return s.run(next)
}

// serve replaces the child by another version, and answers when that has run
// for a moment, or says why it does not.
func (s *Supervisor) serve(next version) (a answer) {
	if next == (version{Executable: s.store.image}) {
		next = version{}
	}
	old := s.child.version
	if next == old {
		return answer{} // A comment has changed, say: nothing is gained by a restart.
	}
	s.child.stop(s.Grace)
	s.fallback = old
	if err := s.run(next); err != nil {
		return failure(errors.Join(err, s.run(old)))
	}
	if err := s.store.prune(next.Executable, next.Debugger, old.Executable, old.Debugger); err != nil {
		s.logf("removing old executables: %v", err)
	}
	select {
	case status := <-s.child.ended:
		err := s.recover(status)
		return failure(errors.Join(fmt.Errorf("%s ended at once: exit code %d", next, s.code), err))
	case <-time.After(settle):
		return answer{}
	}
}

// run makes a version the child, and the one to begin with when the container
// restarts.
func (s *Supervisor) run(v version) (err error) {
	if err = s.store.setCurrent(v); err == nil {
		s.child, err = s.start(v)
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w", v, err)
	}
	return nil
}

func (s *Supervisor) logf(format string, args ...any) {
	fmt.Fprintf(s.Log, "live-reload: "+format+"\n", args...)
}
