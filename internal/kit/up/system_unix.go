//go:build unix

package up

import (
	"errors"
	"syscall"
)

// alive tells whether there is a process of this id.
func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// groupOf returns the process group of a process, 0 if there is none.
func groupOf(pid int) int {
	if pid == 0 {
		return 0
	}
	group, err := syscall.Getpgid(pid)
	if err != nil {
		return 0
	}
	return group
}

// exe is how the name of an executable ends.
const exe = ""
