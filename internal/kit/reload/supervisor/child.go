//go:build unix

package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// child is a build that runs.
type child struct {
	build   wire.Build
	process *os.Process
	ended   <-chan syscall.WaitStatus
}

// start makes a build the child. It gets the arguments, the environment, the
// working directory and the output of the supervisor.
func (s *Supervisor) start(b wire.Build) error {
	cmd := s.command(b)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	ended, err := s.reaper.start(cmd)
	if err != nil {
		return fmt.Errorf("starting %s: %w", b, err)
	}
	s.child = &child{build: b, process: cmd.Process, ended: ended}
	return nil
}

func (s *Supervisor) command(b wire.Build) *exec.Cmd {
	path := s.Program
	if b.Executable != "" {
		path = s.store.path(b.Executable)
	}
	if b.Debugger != "" {
		return debugged(s.store.path(b.Debugger), path, s.Args)
	}
	cmd := exec.Command(path, s.Args...)
	// It is called by its own name, whatever the name of the file.
	cmd.Args[0] = s.Program
	return cmd
}

// debugged runs a program under Delve, which begins at once and waits for
// editors, one after the other, behind the port-forward that they come through.
// It stays when the program ends, so that one can look why. A SIGTERM ends both.
// Whoever may forward ports into the pod may use it: such a connection comes from
// another user than the pod's.
func debugged(debugger, program string, args []string) *exec.Cmd {
	listen := "--listen=127.0.0.1:" + strconv.Itoa(wire.DebugPort)
	return exec.Command(debugger, slices.Concat(
		[]string{"exec", program, "--headless", "--api-version=2", "--accept-multiclient", "--continue", "--only-same-user=false", listen, "--"}, args)...)
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

// childless reports that a process has no children, as far as the system tells.
func childless(parent int) bool {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return false
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // It has ended meanwhile.
		}
		// Behind the name, which is in brackets, follow the state and the parent.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(parent) {
			return false
		}
	}
	return true
}
