package board

import (
	"strings"
	"time"
)

// completed is what a program has done that need not run on.
const completed = "completed"

// What a slot reports on its row.

func (r *Row) change(change func()) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	change()
}

// Starting says that an instance is on its way, beside another that serves or not.
func (r *Row) Starting(beside bool) {
	r.change(func() {
		r.waiting, r.since, r.late = "", time.Now(), false
		if !beside {
			r.conflict = ""
		}
		r.does("starting")
		if beside {
			r.does("new version starting")
		}
	})
}

// late is when it is said where there is no table that something takes long.
const late = 5 * time.Second

// Waits takes what a probe sees that has not succeeded yet.
func (r *Row) Waits(err error) {
	say := false
	r.change(func() {
		r.waiting = err.Error()
		say = !r.late && time.Since(r.since) > late
		r.late = r.late || say
	})
	if say {
		r.board.Step("%s: not ready yet: %v", r.Name, err)
	}
}

// ComesFrom says what runs that is not built from Go.
func (r *Row) ComesFrom(origin string) { r.change(func() { r.origin = origin }) }

// CannotStart says what an instance lacks.
func (r *Row) CannotStart(err error) {
	r.change(func() { r.fails("cannot start") })
	r.board.Alert("%v", err)
}

// Blocked says that an instance is not started while a port is taken.
func (r *Row) Blocked(err error) {
	r.change(func() { r.fails(err.Error()) })
	r.board.Alert("%s: %v: it is started when the port is free; it keeps its number because no variable or argument of the container names it", r.Name, err)
}

// Conflicts takes which port of its programs another one has, nil if none has.
func (r *Row) Conflicts(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	var before string
	r.change(func() { before, r.conflict = r.conflict, text })
	switch {
	case text != "" && text != before:
		r.board.Alert("%s: %s: it does not listen there; have its program take the port from a variable, or run one replica", r.Name, text)
	case text != before:
		r.board.Step("%s: has all its ports now", r.Name)
		r.board.sayAllReady()
	}
}

// Ready says that an instance serves where none did.
func (r *Row) Ready(took time.Duration) {
	var conflict, at string
	r.change(func() {
		r.serves(took)
		conflict = r.conflict
		if urls := r.addresses(); len(urls) > 0 {
			at = ": " + strings.Join(urls, ", ")
		}
	})
	if conflict != "" {
		r.board.Step("%s: runs, but %s", r.Name, conflict)
		return
	}
	r.board.Step("%s: ready in %s%s", r.Name, seconds(took), at)
	r.board.sayAllReady()
}

// serves is called with the lock held.
func (r *Row) serves(took time.Duration) {
	r.start, r.serving = took, true
	r.does("")
}

// Replaced says that an instance, which took so long to be ready, serves in the place
// of another that ran the same.
func (r *Row) Replaced(took time.Duration) {
	r.change(func() { r.serves(took) })
	r.board.Step("%s: ready in %s", r.Name, seconds(took))
}

// Reloaded says that an instance, which took so long to be ready, serves in the place
// of another version, how long the build took, and how long the way there was from the
// moment that the change was noticed.
func (r *Row) Reloaded(took, built time.Duration, since time.Time) {
	r.change(func() { r.serves(took) })
	r.board.log.Printf("%s: reloaded in %s (built in %s, ready in %s)", r.Name,
		seconds(time.Since(since)), seconds(built), seconds(took))
}

// Returns says that a change was taken back: the instance that serves is the
// newest version again.
func (r *Row) Returns() {
	r.change(func() {
		r.does("")
		if !r.serving {
			r.fails("not ready")
		}
	})
	r.board.Step("%s: the version that runs is the newest again", r.Name)
}

// ReadyAgain says that the instance that serves is ready again.
func (r *Row) ReadyAgain() {
	r.change(func() { r.serving = true; r.does("") })
	r.board.Step("%s: ready again", r.Name)
}

// Runs says that a Job runs, which is not waited for to be ready.
func (r *Row) Runs() {
	r.change(func() { r.does("running") })
	r.board.sayAllReady()
}

// Lost says that the instance is gone that served while another is on its way.
func (r *Row) Lost(err error) {
	r.change(func() { r.serving = false; r.does("starting") })
	r.board.Alert("%s: %v", r.Name, err)
}

// NotReady says that the instance that serves is not ready any more.
func (r *Row) NotReady() {
	r.change(func() { r.serving = false; r.fails("not ready") })
	r.board.Step("%s: not ready", r.Name)
}

// Stays says that the instance before goes on serving, because this one ended
// before it was ready.
func (r *Row) Stays(err error, wait time.Duration) {
	r.change(func() { r.fails("new version failed") })
	r.board.Alert("%s: the new version ended before it was ready: %v; the one before goes on, and it is tried again in %s", r.Name, err, wait)
}

// Yields says that the instance before is ended for the one that comes.
func (r *Row) Yields() {
	r.change(func() { r.serving = false })
	r.board.Alert("%s: the new version is not ready beside the one before, which is ended now", r.Name)
}

// Restarting says that what serves has ended, and when it is started again.
func (r *Row) Restarting(err error, wait time.Duration) {
	r.change(func() {
		r.serving = false
		r.restarts++
		r.fails("restarts in " + wait.String())
	})
	if wait == 0 {
		r.board.Alert("%s: %v; it is restarted", r.Name, err)
		return
	}
	r.board.Alert("%s: %v; it is restarted in %s", r.Name, err, wait)
}

// Lacks says that a Service is not run here to which the workload refers.
func (r *Row) Lacks(service string) {
	r.board.Alert("%s refers to service/%s, which is not run here: if you have one, --service %s=HOST:PORT", r.Name, service, service)
}

// Completes says that a program that need not run on has ended well.
func (r *Row) Completes() {
	r.change(func() { r.serving = false; r.does(completed) })
	r.board.Step("%s: completed", r.Name)
	r.board.sayAllReady()
}

// Failed says that a program has ended for good, and not well.
func (r *Row) Failed(err error) {
	r.change(func() { r.serving = false; r.fails("failed") })
	r.board.Alert("%s: %v; it has failed for good", r.Name, err)
}
