package watch

import (
	"maps"
	"slices"
	"time"
)

const (
	// quietTime is how long nothing must happen before a batch is delivered.
	// Editors write, rename and remove within a few milliseconds and git handles
	// more than one file in each, so this is enough to catch them whole, and a
	// twelfth of the 0.3 s that may pass, compilation aside, until a saved file
	// is served. Cutting a batch in two costs a compilation that is cancelled.
	quietTime = 25 * time.Millisecond
	// longestWait is how long a batch grows if things keep happening.
	longestWait = 500 * time.Millisecond
)

// batch collects paths until nothing more happens.
type batch struct {
	growing map[string]bool
	whole   []string // waits for the receiver
	quiet   *time.Timer
	overdue *time.Timer
}

func newBatch() *batch {
	b := &batch{growing: map[string]bool{}, quiet: time.NewTimer(quietTime), overdue: time.NewTimer(longestWait)}
	b.quiet.Stop()
	b.overdue.Stop()
	return b
}

func (b *batch) add(paths []string) {
	if len(paths) == 0 {
		return
	}
	if len(b.growing) == 0 {
		b.overdue.Reset(longestWait)
	}
	b.quiet.Reset(quietTime)
	for _, path := range paths {
		b.growing[path] = true
	}
}

// seal hands what has grown to the receiver, with what that has not taken yet.
func (b *batch) seal() {
	b.quiet.Stop()
	b.overdue.Stop()
	for _, path := range b.whole {
		b.growing[path] = true
	}
	b.whole = slices.Sorted(maps.Keys(b.growing))
	clear(b.growing)
}
