//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// lockName is the file that whoever receives an executable holds locked.
	lockName = "lock"
	// lockTimeout is how long one waits for another's to arrive and to start.
	lockTimeout = answerTimeout
	lockPoll    = 50 * time.Millisecond
)

// lock keeps others from receiving until unlock is called, or this process ends.
func lock(dir string) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(lockTimeout); ; time.Sleep(lockPoll) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(end) {
			file.Close()
			return nil, fmt.Errorf("waiting until another executable has been received: %w", err)
		}
	}
}
