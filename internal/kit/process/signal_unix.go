//go:build unix

package process

import (
	"os"
	"syscall"
)

// terminate asks a program to end.
func terminate(p *os.Process) { p.Signal(syscall.SIGTERM) }

// interrupt does to a process group what Ctrl-C does to that of a terminal.
func interrupt(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGINT) }

// kill ends a process group.
func kill(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
