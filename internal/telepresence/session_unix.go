//go:build unix

package telepresence

import (
	"os/exec"
	"syscall"
)

// ownSession keeps the signals of our terminal from a program: an interrupt is
// for us to act on.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
