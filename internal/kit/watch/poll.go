package watch

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// pollEvery is the pause between two looks.
	pollEvery = 300 * time.Millisecond
	// pollShare bounds the time that polling takes: a pause is so many times as
	// long as the look before.
	pollShare = 10
)

// poller looks through directories for changes.
type poller struct {
	found chan []string // changed paths
	wake  chan struct{} // holds a value if directories have come
	close chan struct{}

	mu   sync.Mutex
	dirs map[string]*polled
}

// polled is a directory that is looked through.
type polled struct {
	seen snapshot
	err  error // why it could not be looked through
}

func newPoller() *poller {
	return &poller{found: make(chan []string), wake: make(chan struct{}, 1), close: make(chan struct{}), dirs: map[string]*polled{}}
}

// set changes which directories are looked through. It looks at new ones itself:
// what changes from then on is found.
func (p *poller) set(dirs []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.dirs
	p.dirs = map[string]*polled{}
	var failures []error
	for _, dir := range dirs {
		dir = filepath.Clean(dir)
		d := before[dir]
		if d == nil {
			d = &polled{}
			d.seen, d.err = look(dir, nil, time.Now())
		}
		if d.err != nil {
			failures = append(failures, fmt.Errorf("watching %s: %w", dir, d.err))
		}
		p.dirs[dir] = d
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return errors.Join(failures...)
}

// run looks through the directories until close is closed.
func (p *poller) run() {
	for {
		began := time.Now()
		changed, busy := p.lookThrough()
		pause := max(pollEvery, pollShare*time.Since(began))
		var due <-chan time.Time
		if busy {
			due = time.After(pause)
		}
		if len(changed) > 0 {
			select {
			case p.found <- changed:
			case <-p.close:
				return
			}
		}
		select {
		case <-due:
		case <-p.awake(busy):
		case <-p.close:
			return
		}
	}
}

// awake returns what tells that directories have come, if there are none yet.
func (p *poller) awake(busy bool) <-chan struct{} {
	if busy {
		return nil
	}
	return p.wake
}

// lookThrough returns what has changed since the last look, and whether there
// is anything to look through.
func (p *poller) lookThrough() (changed []string, busy bool) {
	p.mu.Lock()
	dirs := maps.Clone(p.dirs)
	p.mu.Unlock()
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		seen, err := look(dir, dirs[dir].seen, time.Now())
		p.mu.Lock()
		d := p.dirs[dir]
		if d == dirs[dir] { // Else it was left out meanwhile.
			if d.err = err; err == nil {
				changed = append(changed, seen.since(d.seen, dir)...)
				d.seen = seen
			}
		}
		p.mu.Unlock()
	}
	return changed, len(dirs) > 0
}
