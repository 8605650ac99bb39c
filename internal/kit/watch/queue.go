package watch

import (
	"sync"

	"github.com/fsnotify/fsnotify"
)

// queue holds what the system reports until there is time for it, so that the
// system's own queue, which is bounded, stays empty.
type queue struct {
	ready chan struct{} // holds a value if there is anything to take

	mu      sync.Mutex
	notices []notice
}

// notice is an event, or that some got lost.
type notice struct {
	event fsnotify.Event
	lost  bool
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// fill moves events into the queue until the source is closed. Whatever the
// error, an event may be missing: fsnotify.ErrEventOverflow says so, and the
// others come in place of one.
func (q *queue) fill(source *fsnotify.Watcher) {
	failures := source.Errors
	for {
		select {
		case event, open := <-source.Events:
			if !open {
				return
			}
			q.put(notice{event: event})
		case _, open := <-failures:
			if !open {
				failures = nil
				continue
			}
			q.put(notice{lost: true})
		}
	}
}

func (q *queue) put(n notice) {
	q.mu.Lock()
	q.notices = append(q.notices, n)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *queue) take() []notice {
	q.mu.Lock()
	defer q.mu.Unlock()
	notices := q.notices
	q.notices = nil
	return notices
}
