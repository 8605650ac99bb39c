// Package progress tells a person what a run is doing: live lines on a
// terminal, plain lines in a log, nothing when it is asked to be quiet.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// redrawEvery is how often a terminal shows the time that passed.
const redrawEvery = 100 * time.Millisecond

// Log writes progress. Its methods may be called concurrently.
type Log struct {
	mu      sync.Mutex
	w       io.Writer
	screen  *screen // nil unless w is a terminal
	running []*Task
	footer  func() []string
	stop    chan struct{}
	stopped chan struct{}
}

// New returns a log that writes to w; a nil w means quiet. Close must be called.
func New(w io.Writer) *Log {
	if w == nil {
		w = io.Discard
	}
	l := &Log{w: w}
	if isTerminal(w) {
		l.screen = newScreen(w.(*os.File))
		l.stop, l.stopped = make(chan struct{}), make(chan struct{})
		go l.redraw()
	}
	return l
}

// Close leaves the finished lines on the terminal and ends the redrawing.
func (l *Log) Close() {
	if l.screen == nil {
		return
	}
	close(l.stop)
	<-l.stopped
	l.mu.Lock()
	defer l.mu.Unlock()
	l.screen.draw(nil, nil)
}

// Printf writes one line that stays.
func (l *Log) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line(fmt.Sprintf(format, args...))
}

// Result writes a line of a command's result to out, which may be the same
// terminal: what is live on it makes room.
func (l *Log) Result(out io.Writer, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.screen != nil && isTerminal(out) {
		l.line(fmt.Sprintf(format, args...))
		return
	}
	fmt.Fprintf(out, format+"\n", args...)
}

// Live reports whether there is a terminal that a footer is shown on.
func (l *Log) Live() bool { return l.screen != nil }

// Footer keeps lines at the bottom of the terminal, below the running tasks. It
// is asked for them at every drawing and must not call the log.
func (l *Log) Footer(lines func() []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.footer = lines
}

// Write writes lines that stay, for what others have to say meanwhile, such as
// an API server's warnings. It takes whole lines only.
func (l *Log) Write(lines []byte) (int, error) {
	l.Printf("%s", strings.TrimSuffix(string(lines), "\n"))
	return len(lines), nil
}

// line writes a line that stays; the caller holds the lock.
func (l *Log) line(text string) {
	if l.screen != nil {
		l.screen.draw([]string{text}, l.live())
		return
	}
	fmt.Fprintln(l.w, text)
}

// live describes what goes on: the tasks that have something to say, then the
// footer. The caller holds the lock.
func (l *Log) live() []string {
	var lines []string
	for _, task := range l.running {
		if task.step != "" {
			lines = append(lines, fmt.Sprintf("  %s: %s %s", task.name, task.step, task.elapsed()))
		}
	}
	if l.footer != nil {
		lines = append(lines, l.footer()...)
	}
	return lines
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func (l *Log) redraw() {
	defer close(l.stopped)
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ticker.C:
			l.mu.Lock()
			l.screen.draw(nil, l.live())
			l.mu.Unlock()
		}
	}
}

// Task is something that takes a while.
type Task struct {
	log   *Log
	name  string
	step  string
	since time.Time
}

// Start begins a task: "user-svc" with the step "building". One without a step
// is not shown until it has one.
func (l *Log) Start(name, step string) *Task {
	t := &Task{log: l, name: name, since: time.Now()}
	l.mu.Lock()
	l.running = append(l.running, t)
	l.mu.Unlock()
	t.Step(step)
	return t
}

// Step says what the task does now; saying it again is nothing new.
func (t *Task) Step(step string) {
	t.log.mu.Lock()
	defer t.log.mu.Unlock()
	if t.step == step {
		return
	}
	t.step = step
	if t.log.screen == nil {
		t.log.line(t.name + ": " + step)
	}
}

// Done ends the task with what came of it.
func (t *Task) Done(result string) {
	t.log.mu.Lock()
	defer t.log.mu.Unlock()
	t.remove()
	t.log.line(fmt.Sprintf("%s: %s (%s)", t.name, result, t.elapsed()))
}

// Stop ends the task without a word, for a task whose failure is reported elsewhere.
func (t *Task) Stop() {
	t.log.mu.Lock()
	defer t.log.mu.Unlock()
	t.remove()
}

func (t *Task) remove() {
	for i, other := range t.log.running {
		if other == t {
			t.log.running = append(t.log.running[:i:i], t.log.running[i+1:]...)
			return
		}
	}
}

func (t *Task) elapsed() string { return fmt.Sprintf("%.1fs", time.Since(t.since).Seconds()) }
