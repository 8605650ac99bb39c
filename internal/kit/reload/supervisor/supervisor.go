//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/koshop/koshop/internal/kit/probe"
	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// finishWithin is how long answers on their way may take once the program has ended.
const finishWithin = time.Second

// Supervisor runs the program of a container.
type Supervisor struct {
	Program     string         // the executable in the image
	Args        []string       // its arguments
	Dir         string         // keeps what is sent; it must be the pod's, such as an emptyDir
	Newest      string         // the directory with the newest version, see [wire.Record]; it may be empty, or not be there
	Container   wire.Container // what the pod's manifests say of the container
	Grace       time.Duration  // how long a program may take to end when it is replaced
	ReadyWithin time.Duration  // how long a new build may take to be ready
	Log         io.Writer      // what the supervisor says, a line in each Write

	store     *store
	reaper    *reaper
	doors     *doors
	instances instances
	serving   *instance // the one that the doors lead to
	history   history   // what to start with when the container is restarted
	proved    <-chan time.Time
	obstacle  *obstacle // nil while two versions can run beside each other
	leaving   sync.WaitGroup
	left      []*instance // the last that are, or were, leaving
	requests  chan *request
	arrivals  chan arrival // where programs listen, before a door is open
}

// errEnded is the cause of the end of a supervisor that was told to end.
var errEnded = errors.New("the container ends")

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
	ctx, stop := s.passSignals()
	defer stop()
	s.doors = newDoors(s.Container, filepath.Base(s.Program), s.Args)
	s.arrivals = make(chan arrival, 2*len(s.Container.Ports))
	listener, err := s.listen()
	if err != nil {
		return 1, err
	}
	defer listener.Close()
	if s.store.isNew() {
		s.history, err = s.newest()
	} else {
		s.history, err = s.store.history()
	}
	if err != nil {
		s.logf("%v; starting %s", err, wire.Build{})
	}
	if err := s.begin(s.history); err != nil {
		s.logf("%v; starting %s", err, wire.Build{})
		if err := s.begin(history{}); err != nil {
			return 1, err
		}
	}
	return s.loop(ctx), nil
}

// passSignals passes signals on until stop is called. One that asks to end ends the
// context.
func (s *Supervisor) passSignals() (ctx context.Context, stop func()) {
	ctx, end := context.WithCancelCause(context.Background())
	received, done := make(chan os.Signal, 16), make(chan struct{})
	signal.Notify(received)
	go func() {
		for {
			select {
			case each := <-received:
				number := each.(syscall.Signal)
				if isOurs(number) {
					continue
				}
				s.instances.signal(number)
				if isEnd(number) {
					end(errEnded)
				}
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		close(done)
		end(errEnded)
	}
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

// loop is the only place that starts, stops and replaces instances. It returns the
// exit code of the one that served last.
func (s *Supervisor) loop(ctx context.Context) int {
	for {
		select {
		case <-ctx.Done():
			return s.end(true)
		case a := <-s.arrivals:
			s.arrived(a)
		case <-s.serving.ended:
			if !s.recover(ctx) {
				return s.end(ctx.Err() != nil)
			}
		case <-s.proved:
			s.history, s.proved = s.history.proved(), nil
			s.remember()
		case asked := <-s.requests:
			asked.answer <- s.serve(ctx, asked.Build)
		}
	}
}

// end waits for the instance that serves, which has been told to end unless it did by
// itself, and in the first case for those before. The kubelet bounds how long that takes.
func (s *Supervisor) end(told bool) (code int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.doors.closeWith(ctx, s.serving)
	}()
	<-s.serving.ended
	if told {
		s.leaving.Wait()
	}
	s.serving.output.last() // All of it is passed on.
	defer time.AfterFunc(finishWithin, cancel).Stop()
	<-closed
	return exitCode(s.serving.status)
}

// untilDeaf returns when a program takes no connections at one of its ports any more.
func (i *instance) untilDeaf(port int32) {
	for probe.Check(context.Background(), i.listens(i.ports[port]), nil) == nil && !i.isOver() {
		time.Sleep(deafEvery)
	}
}

// deafEvery is how often it is looked whether a program still takes connections.
const deafEvery = 50 * time.Millisecond

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
