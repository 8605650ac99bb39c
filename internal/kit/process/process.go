package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// drainTime is how long output is still read after a program and its process
// group have ended: what holds the pipe open then has left the group.
const drainTime = time.Second

// Command is a program to run.
type Command struct {
	Path   string    // of the executable; a name without a slash is looked up in PATH
	Args   []string  // its arguments, without its name
	Env    []string  // as "key=value"; nil means our own environment
	Dir    string    // its working directory; "" means our own
	Output io.Writer // gets stdout and stderr, one line in each Write; nil discards them
	User   *User     // whose rights it has; nil means ours
	// Terminate asks the program to end, and may wait until it has; nil means SIGTERM.
	Terminate func(*os.Process)
}

// Process is a program that has been started.
type Process struct {
	cmd       *exec.Cmd
	terminate func(*os.Process)
	done      chan struct{}
}

// Start starts a program. Its Output sees one Write at a time, of a whole line
// with its newline; a line longer than 64 KiB comes in pieces, and the last line
// may lack the newline. An Output that several programs share must bear
// concurrent calls.
func (g *Group) Start(command Command) (*Process, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", command.Path, err)
	}
	defer write.Close() // The program has its own copy.
	cmd := exec.Command(command.Path, command.Args...)
	cmd.Env, cmd.Dir = command.Env, command.Dir
	SetUser(cmd, command.User)
	cmd.Stdout, cmd.Stderr = write, write
	if err := g.start(cmd); err != nil {
		read.Close()
		return nil, fmt.Errorf("starting %s: %w", command.Path, err)
	}
	p := &Process{cmd: cmd, terminate: command.Terminate, done: make(chan struct{})}
	if p.terminate == nil {
		p.terminate = terminate
	}
	go p.wait(g, read, command.Output)
	return p, nil
}

// wait follows a program to its end.
func (p *Process) wait(g *Group, output *os.File, to io.Writer) {
	defer close(p.done)
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		copyLines(to, output)
	}()
	p.cmd.Wait() // An error is a state too.
	g.end(p.cmd)
	stop := time.AfterFunc(drainTime, func() { output.Close() })
	<-copied
	stop.Stop()
	output.Close()
}

// ID returns the process id, which is the id of its process group too.
func (p *Process) ID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended, nothing is left of its process
// group, and its output has been passed on.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop asks the program to end (by SIGTERM if its Command says nothing else),
// kills it and its children if it has not ended within the grace period, and
// returns when it is gone. On Windows it kills at once.
func (p *Process) Stop(grace time.Duration) {
	go p.terminate(p.cmd.Process) // A tool that does it may hang.
	select {
	case <-p.done:
		return
	case <-time.After(grace):
	}
	p.cmd.Process.Kill() // Its children follow when its end is noticed.
	<-p.done
}

// State tells how a program ended. It waits for Done.
func (p *Process) State() State {
	<-p.done
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return State{Code: 128 + int(status.Signal()), Signal: status.Signal().String()}
	}
	return State{Code: p.cmd.ProcessState.ExitCode()}
}

// State tells how a program ended.
type State struct {
	Code   int    // the exit code; 128 and the signal's number if a signal ended it, as in Kubernetes
	Signal string // the description of the signal that ended it, "" if it exited
}

// String returns "exit code 2" or "killed by signal segmentation fault".
func (s State) String() string {
	if s.Signal != "" {
		return "killed by signal " + s.Signal
	}
	return fmt.Sprintf("exit code %d", s.Code)
}
