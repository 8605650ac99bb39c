//go:build unix

package supervisor

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/route"
)

// instance is a build that runs.
type instance struct {
	build     wire.Build
	process   *os.Process
	host      string        // where it listens
	ports     map[int32]int // the ports it listens on, by the port of the container
	settings  settings
	endpoints map[int32]*route.Endpoint
	output    *output
	began     time.Time
	busy      chan int32    // ports of the container that it could not have
	ready     chan struct{} // closed when it is ready for the first time
	ended     chan struct{} // closed when it has ended, with
	status    syscall.WaitStatus

	mu    sync.Mutex
	waits error // why it is not ready yet
}

// start starts a build, with the working directory of the supervisor.
func (s *Supervisor) start(b wire.Build) (*instance, error) {
	i := &instance{
		build: b, host: s.doors.host, began: time.Now(), ports: map[int32]int{}, endpoints: map[int32]*route.Endpoint{},
		busy: make(chan int32, 8), ready: make(chan struct{}), ended: make(chan struct{}),
	}
	for _, port := range s.doors.ports() {
		here, err := route.FreePort()
		if err != nil {
			return nil, err
		}
		i.ports[port] = here
		i.endpoints[port] = route.NewEndpoint(net.JoinHostPort(s.doors.host, strconv.Itoa(here)))
	}
	i.settings = newSettings(i.ports, s.Container.PORT)
	i.output = &output{busy: i.couldNotHave}
	ended, err := s.run(i)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", b, err)
	}
	s.instances.add(i)
	go s.follow(i, ended)
	return i, nil
}

// run starts the process of an instance.
func (s *Supervisor) run(i *instance) (ended <-chan syscall.WaitStatus, err error) {
	cmd := s.command(i)
	var files []*os.File
	defer func() {
		for _, file := range files {
			file.Close()
		}
	}()
	for _, to := range []*os.File{os.Stdout, os.Stderr} {
		file, err := i.output.pipe(to)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, files[0], files[1]
	ended, err = s.reaper.start(cmd)
	i.process = cmd.Process
	return ended, err
}

func (s *Supervisor) command(i *instance) *exec.Cmd {
	path := s.Program
	if i.build.Executable != "" {
		path = s.store.path(i.build.Executable)
	}
	args := i.settings.arguments(s.Args)
	cmd := exec.Command(path, args...)
	cmd.Args[0] = s.Program // It is called by its own name, whatever the name of the file.
	if i.build.Debugger != "" {
		cmd = debugged(s.store.path(i.build.Debugger), path, args)
	}
	cmd.Env = i.settings.environment()
	return cmd
}

// follow waits until an instance is ready, and until it has ended.
func (s *Supervisor) follow(i *instance, ended <-chan syscall.WaitStatus) {
	ctx, cancel := context.WithCancel(context.Background())
	var probing sync.WaitGroup
	probing.Go(func() {
		if s.awaitReady(ctx, i) == nil {
			close(i.ready)
		}
	})
	i.status = <-ended
	cancel()
	probing.Wait()
	i.killGroup()
	s.instances.remove(i)
	for _, endpoint := range i.endpoints {
		endpoint.Retire(canceled())
	}
	close(i.ended)
}

// couldNotHave takes note that a port was in use when the program began to listen.
func (i *instance) couldNotHave(port int) {
	if slices.Contains(slices.Collect(maps.Values(i.ports)), port) {
		return // Another program was faster; that does not come again.
	}
	select {
	case i.busy <- int32(port):
	default: // Those before say enough.
	}
}

// isOver reports whether the instance has ended.
func (i *instance) isOver() bool {
	select {
	case <-i.ended:
		return true
	default:
		return false
	}
}

// leave ends an instance that no new request is led to: it is told to end when it has
// finished those in flight, or after a time, and is killed when the grace period is
// over.
func (i *instance) leave(finishWithin, grace time.Duration) {
	by := time.Now().Add(grace)
	ctx, cancel := context.WithTimeout(context.Background(), finishWithin)
	defer cancel()
	var retiring sync.WaitGroup
	for _, endpoint := range i.endpoints {
		retiring.Go(func() { endpoint.Finish(ctx) })
	}
	retiring.Wait()
	i.stop(time.Until(by))
}

const (
	// endWithin is what a program has of the grace period once it is told to end.
	endWithin = 5 * time.Second
	// finishFirst is how long others wait for what is in flight if the next version
	// cannot start before.
	finishFirst = 2 * time.Second
)

// askToEnd tells the program to end.
func (i *instance) askToEnd() { i.process.Signal(syscall.SIGTERM) }

// stop asks an instance to end, and kills it after the grace period.
func (i *instance) stop(grace time.Duration) {
	i.askToEnd()
	select {
	case <-i.ended:
	case <-time.After(grace):
		i.killGroup()
		<-i.ended
	}
}

// killGroup kills what is left of the instance and its own children.
func (i *instance) killGroup() { syscall.Kill(-i.process.Pid, syscall.SIGKILL) }

// failure says how an instance ended that should have gone on.
func (i *instance) failure() error {
	return fmt.Errorf("%s ended at once: exit code %d%s", i.build, exitCode(i.status), i.said())
}

// said quotes the last lines of an instance.
func (i *instance) said() string {
	lines := i.output.last()
	if len(lines) == 0 {
		return ", without a word"
	}
	return "; the last it printed was\n    " + strings.Join(lines, "\n    ")
}

// exitCode is the code that a shell, and Kubernetes, give an ended process.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
