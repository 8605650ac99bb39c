//go:build unix

package up

import (
	"errors"
	"syscall"
)

// alive tells whether there is a process of this id.
func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// exe is how the name of an executable ends.
const exe = ""
