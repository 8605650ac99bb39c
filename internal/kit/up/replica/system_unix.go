//go:build unix

package replica

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks a file until it is closed; it reports false if another one has it.
func tryLock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

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
