// Package board shows people how the replicas of a run do.
package board

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/workload"
)

// Board shows how each replica does: as a table at the bottom of a terminal,
// as a line for each step elsewhere.
type Board struct {
	log    *progress.Log
	errors io.Writer
	paint  bool // whether states have colours

	mu       sync.Mutex
	rows     []*Row
	complete bool // whether all have been ready once
}

// New returns a board on a log. Errors go to where those see them, too, who asked for
// quiet; paint says whether states have colours.
func New(log *progress.Log, errors io.Writer, paint bool) *Board {
	b := &Board{log: log, errors: errors, paint: paint}
	log.Footer(b.table)
	return b
}

// Row is a replica on the board.
type Row struct {
	Name string // what people call it

	board    *Board
	workload string // its ID
	first    bool   // whether it is the first replica, which shows all addresses
	urls     func() []string

	// Guarded by board.mu.
	serving  bool
	source   string    // what becomes of its source: "building"
	activity string    // what it does besides serving: "starting"
	trouble  bool      // whether one of them is bad news
	waiting  string    // what its probe said last
	conflict string    // which of its ports another program has
	since    time.Time // when the newest instance was started
	late     bool      // whether it was said that this takes long
	build    time.Duration
	start    time.Duration
	restarts int
	origin   string // what a program that is not built from Go is, and where from
}

// Add adds a replica; urls returns where people reach it.
func (b *Board) Add(w *workload.Workload, replica int, urls func() []string) *Row {
	r := &Row{board: b, workload: w.ID(), Name: w.Name, first: replica == 0, urls: urls, activity: "waiting"}
	if w.Replicas > 1 {
		r.Name = fmt.Sprintf("%s-%d", w.Name, replica)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(b.rows, r)
	return r
}

// Remove takes a replica away.
func (b *Board) Remove(r *Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = slices.DeleteFunc(b.rows, func(other *Row) bool { return other == r })
}

// each changes the rows of a workload.
func (b *Board) each(w *workload.Workload, change func(*Row)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.workload == w.ID() {
			change(r)
		}
	}
}

// Building says that a workload is compiled.
func (b *Board) Building(w *workload.Workload) {
	b.each(w, func(r *Row) { r.source, r.trouble = "building", false })
	b.Step("%s: building", w.Name)
}

// Built says that a build came out well, with nothing new in it or with a
// version that is about to start.
func (b *Board) Built(w *workload.Workload, took time.Duration, unchanged bool) {
	b.each(w, func(r *Row) {
		r.build, r.source = took, ""
	})
	if unchanged {
		b.Step("%s: nothing has changed", w.Name)
		return
	}
	b.Step("%s: built in %s", w.Name, seconds(took))
}

// Broken says that a workload does not compile.
func (b *Board) Broken(w *workload.Workload) {
	b.each(w, func(r *Row) { r.source, r.trouble = "does not compile", true })
}

// Stopping says that everything is ended.
func (b *Board) Stopping() {
	b.mu.Lock()
	for _, r := range b.rows {
		r.serving, r.source = false, ""
		r.does("stopping")
	}
	b.mu.Unlock()
	b.Step("stopping; Ctrl-C once more kills what is left")
}

// sayAllReady says so at the first time that all replicas are ready, or have
// nothing to be ready for.
func (b *Board) sayAllReady() {
	b.mu.Lock()
	waiting := slices.ContainsFunc(b.rows, (*Row).isWaiting)
	say := !b.complete && !waiting && len(b.rows) > 1
	b.complete = b.complete || !waiting
	n := len(b.rows)
	b.mu.Unlock()
	if say {
		b.Step("all %d are ready", n)
	}
}

// isWaiting reports whether a replica is neither ready nor has nothing to be ready
// for. It is called with the lock held.
func (r *Row) isWaiting() bool {
	return r.conflict != "" || !r.serving && r.activity != "running" && r.activity != completed
}

// Explain says why a workload does not answer.
func (b *Board) Explain(w *workload.Workload) string {
	text := w.Name + " is not ready"
	b.each(w, func(r *Row) { text = w.Name + " is not ready: " + r.state() })
	return text
}

// Step writes a line where there is no table that shows it.
func (b *Board) Step(format string, args ...any) {
	if !b.log.Live() {
		b.log.Printf(format, args...)
	}
}

// Alert writes a line that even those want to see who asked for quiet.
func (b *Board) Alert(format string, args ...any) {
	b.log.Result(b.errors, format, args...)
}

func (r *Row) does(activity string)  { r.activity, r.trouble = activity, false }
func (r *Row) fails(activity string) { r.activity, r.trouble = activity, true }

// state says how a replica does, in a few words.
func (r *Row) state() string {
	var state []string
	switch {
	case r.conflict != "":
		state = append(state, r.conflict)
	case r.serving:
		state = append(state, "ready")
	}
	if strings.HasSuffix(r.activity, "starting") && r.waiting != "" {
		state = append(state, r.activity+": "+r.waiting)
	} else if r.activity != "" {
		state = append(state, r.activity)
	}
	if r.source != "" {
		state = append(state, r.source)
	}
	return strings.Join(state, ", ")
}

// colour is red for bad news, green for none, else yellow.
func (r *Row) colour() string {
	switch {
	case r.trouble, r.conflict != "":
		return "31"
	case r.serving && r.activity == "" && r.source == "", r.activity == completed:
		return "32"
	}
	return "33"
}
