package process

import (
	"os/exec"
	"syscall"
)

// isolate gives a program a process group of its own. The program itself dies
// with us at once, even if the guard could not be told of it any more.
func isolate(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
}
