package up

import (
	"sync"
	"time"
)

// jobsFirst is how long the others wait for a Job that runs. One that waits for
// their Services in turn would wait forever.
const jobsFirst = 15 * time.Second

// gate holds back what must not start before the Jobs have had their turn.
type gate struct {
	mu      sync.Mutex
	pending int
	opened  chan struct{}
}

func newGate() *gate {
	g := &gate{opened: make(chan struct{})}
	close(g.opened) // Nothing is expected yet.
	return g
}

// expect closes the gate until one more Job has passed.
func (g *gate) expect() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending == 0 {
		g.opened = make(chan struct{})
	}
	g.pending++
}

// passed says that a Job has ended for the first time, well or not: one that
// needs the others to succeed is tried again when they run.
func (g *gate) passed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending--; g.pending == 0 {
		close(g.opened)
	}
}

// open is closed while nothing is pending.
func (g *gate) open() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened
}
