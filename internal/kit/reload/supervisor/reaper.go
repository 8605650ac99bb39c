//go:build unix

package supervisor

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// reaper starts processes and waits for them. The first process of a container
// inherits the orphans of all others and must wait for them too, so there is one
// place that waits for any process; nothing else may.
type reaper struct {
	mu      sync.Mutex // held from a start until the process is known
	started *sync.Cond
	running map[int]chan<- syscall.WaitStatus
}

func newReaper() *reaper {
	r := &reaper{running: map[int]chan<- syscall.WaitStatus{}}
	r.started = sync.NewCond(&r.mu)
	go r.reap()
	return r
}

// start starts a command in a process group of its own. How it ends is sent to
// the channel.
func (r *reaper) start(cmd *exec.Cmd) (<-chan syscall.WaitStatus, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan syscall.WaitStatus, 1)
	r.running[cmd.Process.Pid] = ended
	r.started.Signal()
	return ended, nil
}

// reap waits for processes for as long as this one lives, as init does.
func (r *reaper) reap() {
	for {
		r.mu.Lock()
		for len(r.running) == 0 {
			r.started.Wait()
		}
		r.mu.Unlock()
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			panic(os.NewSyscallError("wait4", err)) // There is a child: none else waits.
		}
		r.mu.Lock()
		if ended, ours := r.running[pid]; ours {
			delete(r.running, pid)
			ended <- status
		}
		r.mu.Unlock()
	}
}
