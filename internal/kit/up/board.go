package up

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

// board shows how each replica does: as a table at the bottom of a terminal,
// as a line for each step elsewhere.
type board struct {
	log    *progress.Log
	errors io.Writer
	paint  bool // whether states have colours

	mu       sync.Mutex
	rows     []*row
	complete bool // whether all have been ready once
}

func newBoard(opts Options) *board {
	b := &board{log: opts.Log, errors: opts.Err, paint: opts.Colour}
	opts.Log.Footer(b.table)
	return b
}

// row is a replica on the board.
type row struct {
	board    *board
	workload string // name() of it
	name     string // what people call it
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

func (b *board) add(w *workload.Workload, replica int, urls func() []string) *row {
	r := &row{board: b, workload: name(w), name: w.Name, first: replica == 0, urls: urls, activity: "waiting"}
	if w.Replicas > 1 {
		r.name = fmt.Sprintf("%s-%d", w.Name, replica)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(b.rows, r)
	return r
}

func (b *board) remove(r *row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = slices.DeleteFunc(b.rows, func(other *row) bool { return other == r })
}

// each changes the rows of a workload.
func (b *board) each(w *workload.Workload, change func(*row)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.workload == name(w) {
			change(r)
		}
	}
}

func (b *board) building(w *workload.Workload) {
	b.each(w, func(r *row) { r.source, r.trouble = "building", false })
	b.step("%s: building", w.Name)
}

// built says that a build came out well, with nothing new in it or with a
// version that is about to start.
func (b *board) built(w *workload.Workload, took time.Duration, unchanged bool) {
	b.each(w, func(r *row) {
		r.build, r.source = took, ""
	})
	if unchanged {
		b.step("%s: nothing has changed", w.Name)
		return
	}
	b.step("%s: built in %s", w.Name, seconds(took))
}

func (b *board) broken(w *workload.Workload) {
	b.each(w, func(r *row) { r.source, r.trouble = "does not compile", true })
}

func (b *board) stopping() {
	b.mu.Lock()
	for _, r := range b.rows {
		r.serving, r.source = false, ""
		r.does("stopping")
	}
	b.mu.Unlock()
	b.step("stopping; Ctrl-C once more kills what is left")
}

// sayAllReady says so at the first time that all replicas are ready, or have
// nothing to be ready for.
func (b *board) sayAllReady() {
	b.mu.Lock()
	waiting := slices.ContainsFunc(b.rows, (*row).isWaiting)
	say := !b.complete && !waiting && len(b.rows) > 1
	b.complete = b.complete || !waiting
	n := len(b.rows)
	b.mu.Unlock()
	if say {
		b.step("all %d are ready", n)
	}
}

// isWaiting reports whether a replica is neither ready nor has nothing to be ready
// for. It is called with the lock held.
func (r *row) isWaiting() bool {
	return r.conflict != "" || !r.serving && r.activity != "running" && r.activity != completed
}

// explain says why a workload does not answer.
func (b *board) explain(w *workload.Workload) string {
	text := w.Name + " is not ready"
	b.each(w, func(r *row) { text = w.Name + " is not ready: " + r.state() })
	return text
}

// step writes a line where there is no table that shows it.
func (b *board) step(format string, args ...any) {
	if !b.log.Live() {
		b.log.Printf(format, args...)
	}
}

// alert writes a line that even those want to see who asked for quiet.
func (b *board) alert(format string, args ...any) {
	b.log.Result(b.errors, format, args...)
}

func (r *row) does(activity string)  { r.activity, r.trouble = activity, false }
func (r *row) fails(activity string) { r.activity, r.trouble = activity, true }

// state says how a replica does, in a few words.
func (r *row) state() string {
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
func (r *row) colour() string {
	switch {
	case r.trouble, r.conflict != "":
		return "31"
	case r.serving && r.activity == "" && r.source == "", r.activity == completed:
		return "32"
	}
	return "33"
}
