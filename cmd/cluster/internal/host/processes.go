package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a process as /proc shows it.
type Process struct {
	PID  int
	Exe  string // empty for a kernel thread
	Args []string
}

// Processes lists the processes that are alive, without kernel threads.
func Processes() ([]Process, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var processes []Process
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			return nil, err
		}
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil {
			continue // a kernel thread, or it has ended
		}
		cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue
		}
		args := strings.Split(string(bytes.TrimRight(cmdline, "\x00")), "\x00")
		processes = append(processes, Process{pid, strings.TrimSuffix(exe, " (deleted)"), args})
	}
	return processes, nil
}

// killLimit is how long KillAll waits for the processes it has killed to be gone.
const killLimit = 15 * time.Second

// KillAll kills every process that find returns until it returns none: what is killed may
// have started another one meanwhile.
func KillAll(ctx context.Context, find func() ([]int, error)) error {
	ctx, cancel := context.WithTimeout(ctx, killLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		pids, err := find()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("killing process %d: %w", pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("processes %v are still there after being killed: %w", pids, ctx.Err())
		case <-tick.C:
		}
	}
}

// Pids returns the pids of the processes that match, this one never among them.
func Pids(match func(Process) bool) ([]int, error) {
	processes, err := Processes()
	if err != nil {
		return nil, err
	}
	processes = slices.DeleteFunc(processes, func(p Process) bool { return p.PID == os.Getpid() || !match(p) })
	pids := make([]int, len(processes))
	for i, p := range processes {
		pids[i] = p.PID
	}
	return pids, nil
}
