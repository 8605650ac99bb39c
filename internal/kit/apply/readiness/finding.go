package readiness

import (
	"slices"
	"time"
)

// grade says what a finding means for a wait.
type grade int

const (
	// passing findings explain why something takes time.
	passing grade = iota
	// blocking findings hold an object up until something else changes: another
	// object that is on its way, or whatever is not in the set.
	blocking
	// final findings do not pass by themselves.
	final
)

// finding is something that was seen of an object that is not ready.
type finding struct {
	grade grade
	text  string
	ended *container // whose log explains it, or nil
	begun time.Time  // when the run that has ended so was first seen
}

// container names a container of a pod.
type container struct {
	namespace, pod, name string
	previous             bool // the run before the one that goes on now
}

// verdict is how an object is doing.
type verdict struct {
	state    state
	message  string    // in few words
	findings []finding // the worst first
}

// state is what a wait makes of an object.
type state int

const (
	unknown state = iota
	ready
	progressing
	blocked // by something that could still change
	failed
)

func (s state) String() string {
	return [...]string{"unknown", "ready", "progressing", "blocked", "failed"}[s]
}

// sum makes a verdict of what was found of an object that is not ready yet; all says
// whether that holds up all of it.
func sum(message string, findings []finding, all bool) verdict {
	slices.SortStableFunc(findings, func(a, b finding) int { return int(b.grade) - int(a.grade) })
	v := verdict{state: progressing, message: message, findings: findings}
	switch {
	case len(findings) == 0:
	case findings[0].grade == final:
		v.state = failed
	case findings[0].grade == blocking && all:
		v.state = blocked
	}
	return v
}
