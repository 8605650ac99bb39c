package up

import (
	"errors"
	"strings"
	"time"
)

// completed is what a program has done that need not run on.
const completed = "completed"

// What a slot reports on its row.

func (r *row) change(change func()) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	change()
}

// starting says that an instance is on its way, beside another that serves or not.
func (r *row) starting(beside bool) {
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

// waits takes what a probe sees that has not succeeded yet.
func (r *row) waits(err error) {
	say := false
	r.change(func() {
		r.waiting = err.Error()
		say = !r.late && time.Since(r.since) > late
		r.late = r.late || say
	})
	if say {
		r.board.step("%s: not ready yet: %v", r.name, err)
	}
}

// comesFrom says what runs that is not built from Go.
func (r *row) comesFrom(origin string) { r.change(func() { r.origin = origin }) }

// cannotStart says what an instance lacks.
func (r *row) cannotStart(i *instance) {
	r.change(func() { r.fails("cannot start") })
	r.board.alert("%v", i.err)
}

// blocked says that an instance is not started while a port is taken.
func (r *row) blocked(err error) {
	r.change(func() { r.fails(err.Error()) })
	r.board.alert("%s: %v: it is started when the port is free; it keeps its number because no variable or argument of the container names it", r.name, err)
}

// conflicts takes which port of its programs another one has, nil if none has.
func (r *row) conflicts(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	var before string
	r.change(func() { before, r.conflict = r.conflict, text })
	switch {
	case text != "" && text != before:
		r.board.alert("%s: %s: it does not listen there; have its program take the port from a variable, or run one replica", r.name, text)
	case text != before:
		r.board.step("%s: has all its ports now", r.name)
		r.board.sayAllReady()
	}
}

// ready says that an instance serves where none did.
func (r *row) ready(i *instance) {
	var conflict, at string
	r.change(func() {
		r.serves(i)
		conflict = r.conflict
		if urls := r.addresses(); len(urls) > 0 {
			at = ": " + strings.Join(urls, ", ")
		}
	})
	if conflict != "" {
		r.board.step("%s: runs, but %s", r.name, conflict)
		return
	}
	r.board.step("%s: ready in %s%s", r.name, seconds(i.took), at)
	r.board.sayAllReady()
}

// serves is called with the lock held.
func (r *row) serves(i *instance) {
	r.start, r.serving = i.took, true
	r.does("")
}

// replaces says that an instance serves in the place of another, and how long
// the way there was from the moment that a change was noticed.
func (r *row) replaces(i, before *instance) {
	r.change(func() { r.serves(i) })
	if before.runs(i.version) || i.version.since.IsZero() {
		r.board.step("%s: ready in %s", r.name, seconds(i.took))
		return
	}
	r.board.log.Printf("%s: reloaded in %s (built in %s, ready in %s)", r.name,
		seconds(time.Since(i.version.since)), seconds(i.version.built), seconds(i.took))
}

// returns says that a change was taken back: the instance that serves is the
// newest version again.
func (r *row) returns() {
	r.change(func() {
		r.does("")
		if !r.serving {
			r.fails("not ready")
		}
	})
	r.board.step("%s: the version that runs is the newest again", r.name)
}

func (r *row) readyAgain() {
	r.change(func() { r.serving = true; r.does("") })
	r.board.step("%s: ready again", r.name)
}

// runs says that a Job runs, which is not waited for to be ready.
func (r *row) runs() {
	r.change(func() { r.does("running") })
	r.board.sayAllReady()
}

// lost says that the instance is gone that served while another is on its way.
func (r *row) lost(i *instance) {
	r.change(func() { r.serving = false; r.does("starting") })
	r.board.alert("%s: %v", r.name, i.err)
}

func (r *row) notReady() {
	r.change(func() { r.serving = false; r.fails("not ready") })
	r.board.step("%s: not ready", r.name)
}

// stays says that the instance before goes on serving, because this one ended
// before it was ready.
func (r *row) stays(i *instance, wait time.Duration) {
	r.change(func() { r.fails("new version failed") })
	r.board.alert("%s: the new version ended before it was ready: %v; the one before goes on, and it is tried again in %s", r.name, i.err, wait)
}

// yields says that the instance before is ended for the one that comes.
func (r *row) yields() {
	r.change(func() { r.serving = false })
	r.board.alert("%s: the new version is not ready beside the one before, which is ended now", r.name)
}

func (r *row) restarting(i *instance, wait time.Duration) {
	r.change(func() {
		r.serving = false
		r.restarts++
		r.fails("restarts in " + wait.String())
	})
	if wait == 0 {
		r.board.alert("%s: %v; it is restarted", r.name, i.err)
		return
	}
	r.board.alert("%s: %v; it is restarted in %s", r.name, i.err, wait)
}

// lacks says that a Service is not run here to which the workload refers.
func (r *row) lacks(service string) {
	r.board.alert("%s refers to service/%s, which is not run here: if you have one, --service %s=HOST:PORT", r.name, service, service)
}

// finished says that a program that need not run on has ended.
func (r *row) finished(i *instance) {
	if errors.Is(i.err, errCompleted) {
		r.change(func() { r.serving = false; r.does(completed) })
		r.board.step("%s: completed", r.name)
		r.board.sayAllReady()
		return
	}
	r.change(func() { r.serving = false; r.fails("failed") })
	r.board.alert("%s: %v; it has failed for good", r.name, i.err)
}
