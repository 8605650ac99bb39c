package replica

import (
	"sync"
	"time"
)

// jobsFirst is how long the others wait for a Job that runs. One that waits for
// their Services in turn would wait forever.
const jobsFirst = 15 * time.Second

// Gate holds back what must not start before the Jobs have had their turn.
type Gate struct {
	mu      sync.Mutex
	pending int
	opened  chan struct{}
}

// NewGate returns one that is open.
func NewGate() *Gate {
	g := &Gate{opened: make(chan struct{})}
	close(g.opened) // Nothing is expected yet.
	return g
}

// expect closes the gate until one more Job has passed.
func (g *Gate) expect() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending == 0 {
		g.opened = make(chan struct{})
	}
	g.pending++
}

// passed says that a Job has ended for the first time, well or not: one that
// needs the others to succeed is tried again when they run.
func (g *Gate) passed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending--; g.pending == 0 {
		close(g.opened)
	}
}

// open is closed while nothing is pending.
func (g *Gate) open() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened
}
