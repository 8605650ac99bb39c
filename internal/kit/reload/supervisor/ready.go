//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/koshop/koshop/internal/kit/probe"
	"github.com/koshop/koshop/internal/kit/rewrite"
)

const (
	// settle is how long a new build runs before its sender is told that it does. A
	// program that cannot start as a rule ends sooner.
	settle = 500 * time.Millisecond
	// lockedFor is how long a new build may take to be ready beside one that holds a
	// lock, which it may be waiting for.
	lockedFor = 2 * time.Second
	// mayListenWithin is how long a program that may be a worker has to listen.
	mayListenWithin = 5 * time.Second
)

// awaitReady returns nil when an instance is ready: by the container's readiness
// probe; if there is none, when it listens; if it listens nowhere, when it has run
// for a moment.
func (s *Supervisor) awaitReady(ctx context.Context, i *instance) error {
	if p := s.readiness(i); p != nil {
		return probe.Until(ctx, p, s.exec(i), i.isWaiting)
	}
	port := i.ports[s.Container.PORT]
	if port == 0 {
		return sleep(ctx, settle)
	}
	if !s.Container.MayNotListen {
		return probe.Until(ctx, i.listens(port), nil, i.isWaiting)
	}
	bounded, cancel := context.WithTimeout(ctx, mayListenWithin)
	defer cancel()
	if probe.Until(bounded, i.listens(port), nil, i.isWaiting) == nil {
		return nil
	}
	return ctx.Err()
}

// listens is the probe that succeeds when an instance listens on a port of its own.
func (i *instance) listens(port int) *probe.Probe {
	return &probe.Probe{TCPSocket: &probe.TCPSocket{Host: i.host, Port: port}}
}

// await returns nil when an instance may serve: it is ready; or it has run for a moment
// and there is nothing to lose, because the one that serves beside it is not ready
// either. The error is an [*obstacle] if the two cannot run beside each other. Under a
// debugger a program may be halted, and serves after a moment in any case.
func (s *Supervisor) await(ctx context.Context, i, beside *instance) error {
	late, settled := time.After(s.ReadyWithin), time.After(time.Until(i.began.Add(settle)))
	var locked <-chan time.Time
	var alone <-chan struct{}
	if beside != nil {
		locked, alone = time.After(lockedFor), beside.ended
	}
	for {
		select {
		case <-i.ready:
			return nil
		case <-i.ended:
			err := i.failure()
			if port, missed := i.missedPort(); missed {
				return cannotMove(port)
			}
			return err
		case port := <-i.busy:
			return cannotMove(port)
		case <-settled:
			if i.build.Debugger != "" {
				return i.debugs()
			}
			if beside != nil && s.isUnready(ctx, beside) {
				return nil
			}
		case <-alone:
			return nil // There is nothing to lose any more.
		case <-locked:
			if lock := beside.lock(); lock != nil {
				return lock
			}
		case <-late:
			return fmt.Errorf("%s is not ready after %v: %w", i.build, s.ReadyWithin, i.isNotReady())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// isUnready reports whether an instance fails the container's probe.
func (s *Supervisor) isUnready(ctx context.Context, i *instance) bool {
	p := s.readiness(i)
	return p != nil && probe.Check(ctx, p, s.exec(i)) != nil
}

// missedPort returns a port that an instance which has ended could not have.
func (i *instance) missedPort() (port int32, missed bool) {
	select {
	case port := <-i.busy:
		return port, true
	default:
		return 0, false
	}
}

// staysFor returns nil if an instance does not end for a time.
func (i *instance) staysFor(ctx context.Context, d time.Duration) error {
	select {
	case <-i.ended:
		return i.failure()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// readiness returns the container's probe as it is asked of an instance, nil if there
// is none.
func (s *Supervisor) readiness(i *instance) *probe.Probe {
	if s.Container.Readiness == nil {
		return nil
	}
	p := *s.Container.Readiness
	p.Command = i.settings.probeCommand(p.Command)
	switch {
	case p.HTTPGet != nil:
		get := *p.HTTPGet
		i.lead(&get.Host, &get.Port)
		p.HTTPGet = &get
	case p.TCPSocket != nil:
		socket := *p.TCPSocket
		i.lead(&socket.Host, &socket.Port)
		p.TCPSocket = &socket
	case p.GRPC != nil:
		health := *p.GRPC
		i.lead(&health.Host, &health.Port)
		p.GRPC = &health
	}
	return &p
}

// lead leads what is asked of the container to the instance.
func (i *instance) lead(host *string, port *int) {
	if here, found := i.ports[int32(*port)]; found && rewrite.IsLocal(*host) {
		*host, *port = i.host, here
	}
}

// exec runs the commands of probes, which may be the program itself.
func (s *Supervisor) exec(i *instance) probe.Exec {
	return func(ctx context.Context, command []string) error {
		path := command[0]
		if path == s.Program && i.build.Executable != "" {
			path = s.store.path(i.build.Executable)
		}
		cmd := exec.Command(path, command[1:]...)
		cmd.Args[0], cmd.Env = command[0], i.settings.environment()
		ended, err := s.reaper.start(cmd)
		if err != nil {
			return err
		}
		select {
		case status := <-ended:
			if code := exitCode(status); code != 0 {
				return fmt.Errorf("%s: exit code %d", command[0], code)
			}
			return nil
		case <-ctx.Done():
			cmd.Process.Kill()
			<-ended
			return fmt.Errorf("%s: %w", command[0], context.Cause(ctx))
		}
	}
}

func (i *instance) isWaiting(why error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.waits = why
}

// isNotReady returns why an instance is not ready.
func (i *instance) isNotReady() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.waits == nil {
		return errors.New("it does not say why")
	}
	return i.waits
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
