package readiness

import (
	"strings"
	"time"
)

// memory remembers since when something is so. It goes by the clock of this machine
// alone: those of a cluster may be minutes off.
type memory struct {
	now   func() time.Time
	begun time.Time
	first map[string]time.Time
	ready time.Time // when an object last became ready
	freed time.Time // when a pod that goes was last seen, which makes room for others
	made  time.Time // when one did that may make what others need
}

// newMemory begins now, by a clock.
func newMemory(now func() time.Time) *memory {
	return &memory{now: now, begun: now(), first: map[string]time.Time{}}
}

// since returns how long a fact, named by its parts, has been seen.
func (m *memory) since(fact ...string) time.Duration { return m.now().Sub(m.begin(fact...)) }

// begin returns when a fact was first seen, which may be now.
func (m *memory) begin(fact ...string) time.Time {
	key := strings.Join(fact, "/")
	if _, known := m.first[key]; !known {
		m.first[key] = m.now()
	}
	return m.first[key]
}

// forget ends a fact: when it is so again, it is so anew.
func (m *memory) forget(fact ...string) { delete(m.first, strings.Join(fact, "/")) }

// after grades what holds an object up until something else changes: for a while after
// that has happened, what it lacked may be there and has not been tried again.
func (m *memory) after(change time.Time) grade {
	if !change.IsZero() && m.now().Sub(change) < triedAgain {
		return passing
	}
	return blocking
}

// patient grades what may pass by itself, until it has been seen for so long.
func (m *memory) patient(patience time.Duration, fact ...string) grade {
	if m.since(fact...) < patience {
		return passing
	}
	return blocking
}
