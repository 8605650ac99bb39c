//go:build unix

package state

import (
	"errors"
	"syscall"
)

// alive tells whether there is a process of this id.
func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
