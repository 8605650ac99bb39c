//go:build unix

package live

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// child is a running executable.
type child struct {
	digest  Digest // "" for the image's
	process *os.Process
	ended   <-chan syscall.WaitStatus
	since   time.Time
}

// start runs an executable with the arguments, the environment, the working
// directory and the output of the supervisor.
func (s *Supervisor) start(d Digest) (*child, error) {
	path := s.Program
	if d != "" {
		path = s.store.path(d)
	}
	cmd := exec.Command(path, s.Args...)
	// A program must not see the difference: it is called by its own name.
	cmd.Args[0] = s.Program
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	ended, err := s.reaper.start(cmd)
	if err != nil {
		return nil, err
	}
	return &child{digest: d, process: cmd.Process, ended: ended, since: time.Now()}, nil
}

// stop asks a child to end, and kills it after the grace period.
func (c *child) stop(grace time.Duration) syscall.WaitStatus {
	c.process.Signal(syscall.SIGTERM)
	select {
	case status := <-c.ended:
		c.killGroup()
		return status
	case <-time.After(grace):
	}
	c.killGroup()
	return <-c.ended
}

// killGroup kills what is left of the child and its own children.
func (c *child) killGroup() { syscall.Kill(-c.process.Pid, syscall.SIGKILL) }

// exitCode is the code that a shell, and Kubernetes, give an ended process.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
