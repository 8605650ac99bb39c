//go:build unix

package supervisor

import (
	"slices"
	"sync"
	"syscall"
)

// instances are all that run: the one that serves, one that is coming, and those that
// are leaving. A signal to the supervisor is one to all of them.
type instances struct {
	mu   sync.Mutex
	all  []*instance
	last syscall.Signal // that told them to end, 0 if none did
}

// add adds one that has just started. It is told to end if the others have been.
func (s *instances) add(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, i)
	if s.last != 0 {
		i.process.Signal(s.last)
	}
}

func (s *instances) remove(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(other *instance) bool { return other == i })
}

// signal passes a signal on.
func (s *instances) signal(received syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isEnd(received) {
		s.last = received
	}
	for _, i := range s.all {
		i.process.Signal(received)
	}
}

// isEnd tells the signals that ask a program to end.
func isEnd(s syscall.Signal) bool {
	return s == syscall.SIGTERM || s == syscall.SIGINT || s == syscall.SIGQUIT
}

// isOurs tells the signals that are about the supervisor itself: the reaper's, and two
// that the Go runtime sends.
func isOurs(s syscall.Signal) bool {
	return s == syscall.SIGCHLD || s == syscall.SIGURG || s == syscall.SIGPIPE
}
