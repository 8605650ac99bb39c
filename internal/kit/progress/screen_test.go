package progress

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// display is a terminal, and a screen on it.
type display interface {
	draw(stay, live []string)
	resize(columns, rows int)
	capture() []string // all lines, those of the scroll-back first; lines that were broken are whole
}

// modelled is a screen on a model of a terminal.
type modelled struct {
	*model
	screen *screen
}

func newModelled(columns, rows int) *modelled {
	d := &modelled{model: newModel(columns, rows)}
	d.screen = &screen{w: d.model, size: func() (int, int) { return d.columns, d.rows }, reflows: true}
	return d
}

func (d *modelled) draw(stay, live []string) { d.screen.draw(stay, live) }

// table is what `ko up` draws: a header and rows, each as long as asked for.
func table(rows, length int, state string) []string {
	lines := []string{"", "WORKLOAD  STATUS"}
	for i := range rows {
		line := fmt.Sprintf("row-%d  %s  ", i, state)
		lines = append(lines, line+strings.Repeat("u", max(length-len(line), 0)))
	}
	return lines
}

// rounds is how often a window is made smaller and larger again: tmux takes a
// second for each.
func rounds() int {
	if testing.Short() {
		return 2
	}
	return 10
}

// scenarios draw and resize; copies is how many headers are there in the end.
// There is one more only where the window cannot hold what was drawn before: that
// has moved into the scroll-back, which cannot be overwritten.
var scenarios = map[string]struct {
	run    func(d display, log func(n int))
	copies int
}{
	"redrawn in a window that was cleared": {func(d display, log func(int)) {
		for i := range 30 {
			d.draw(nil, table(8, 60, fmt.Sprint("state", i)))
		}
	}, 1},
	"below a log": {func(d display, log func(int)) {
		for i := range 30 {
			d.draw(nil, table(8, 60, fmt.Sprint("state", i)))
			log(i % 4)
		}
	}, 1},
	"growing and shrinking": {func(d display, log func(int)) {
		for _, rows := range []int{1, 5, 12, 18, 3, 15, 20, 2, 20} {
			d.draw(nil, table(rows, 60, "ready"))
			log(2)
		}
	}, 1},
	"longer than the window": {func(d display, log func(int)) {
		for i := range 20 {
			d.draw(nil, table(20+i, 60, fmt.Sprint("state", i)))
			log(i % 2)
		}
	}, 1},
	"in a window that becomes narrower": {func(d display, log func(int)) {
		log(10)
		for i, columns := range []int{70, 61, 59, 50, 40} {
			d.draw(nil, table(5, 75, "ready"))
			d.resize(columns, 24)
			d.draw(nil, table(5, 75, "ready"))
			log(i)
		}
	}, 1},
	"in a window that becomes narrower and wider": {func(d display, log func(int)) {
		log(30)
		for range rounds() {
			for _, columns := range []int{45, 80, 50, 100} {
				d.draw(nil, table(5, 75, "ready"))
				d.resize(columns, 24)
			}
		}
		d.draw(nil, table(5, 75, "ready"))
	}, 1},
	"in a window that becomes lower and higher": {func(d display, log func(int)) {
		log(30)
		for range rounds() {
			for _, rows := range []int{12, 30, 9, 24} {
				d.draw(nil, table(15, 75, "ready"))
				d.resize(80, rows)
			}
		}
		d.draw(nil, table(15, 75, "ready"))
	}, 1},
	"in a window that cannot hold it any more": {func(d display, log func(int)) {
		log(30)
		d.draw(nil, table(15, 75, "ready"))
		d.resize(30, 24)
		for i := range 20 {
			d.draw(nil, table(15, 75, fmt.Sprint("state", i)))
			log(1)
		}
	}, 2},
	"with texts of several lines and of wide characters": {func(d display, log func(int)) {
		for i := range 10 {
			d.draw(nil, append(table(3, 60, "ready"), fmt.Sprintf("%d: a\nb\tc\rd", i), strings.Repeat("e", i*20)))
			log(1)
		}
	}, 1},
	"with log lines that wrap": {func(d display, log func(int)) {
		for i := range 10 {
			d.draw([]string{strings.Repeat("w", 79+i)}, table(3, 60, "ready"))
		}
	}, 1},
}

// logLine may stand behind the rest of a live line that has left the window.
var logLine = regexp.MustCompile(`line \d+ of the log$`)

// check runs a scenario: the table is there as often as it may be, and each line
// of the log once, in order.
func check(t *testing.T, name string, d display) {
	t.Helper()
	scenario := scenarios[name]
	logged, last := []string{}, []string(nil)
	log := func(n int) {
		for range n {
			line := fmt.Sprintf("line %d of the log", len(logged))
			logged = append(logged, line)
			d.draw([]string{line}, last)
		}
	}
	scenario.run(recording{d, &last}, log)
	lines := d.capture()
	headers := 0
	var found []string
	for _, line := range lines {
		if strings.HasPrefix(line, "WORKLOAD") {
			headers++
		}
		if logLine := logLine.FindString(line); logLine != "" {
			found = append(found, logLine)
		}
	}
	if headers != scenario.copies {
		t.Errorf("there are %d tables, want %d", headers, scenario.copies)
	}
	if !slices.Equal(found, logged) {
		t.Errorf("of %d lines of the log there are %q", len(logged), found)
	}
	if t.Failed() {
		t.Logf("the terminal shows\n%s", strings.Join(lines, "\n"))
	}
}

// recording remembers the live lines.
type recording struct {
	display
	last *[]string
}

func (r recording) draw(stay, live []string) {
	*r.last = live
	r.display.draw(stay, live)
}

func TestScreenDrawsInPlace(t *testing.T) {
	for name := range scenarios {
		t.Run(name, func(t *testing.T) { check(t, name, newModelled(80, 24)) })
	}
}

// The running tasks are overwritten by the next drawing, finished lines stay.
func TestScreenRedrawsRunningTasksOnly(t *testing.T) {
	d := newModelled(40, 5)
	d.draw(nil, []string{"web: building", "worker: building"})
	d.draw([]string{"web: published"}, []string{"worker: building"})
	if got, want := d.capture(), []string{"web: published", "worker: building", "", "", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	d.draw(nil, nil)
	if got, want := d.capture(), []string{"web: published", "", "", "", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// What has not changed is not drawn again.
func TestScreenIsQuietWhenNothingChanges(t *testing.T) {
	var out strings.Builder
	s := &screen{w: &out, size: func() (int, int) { return 80, 24 }}
	s.draw(nil, []string{"web: ready"})
	before := out.Len()
	s.draw(nil, []string{"web: ready"})
	if out.Len() != before {
		t.Errorf("wrote %q", out.String()[before:])
	}
}

func TestClipKeepsLinesFromWrapping(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{strings.Repeat("é", 10), strings.Repeat("é", 8) + "…"},
		{"short", "short"},
		{"\x1b[32mready\x1b[0m", "\x1b[32mready\x1b[0m"},
		{"\x1b[32mlonger than that\x1b[0m", "longer t…"},
		{"世界世界世界", "世界世界…"},
		{"🙂🙂🙂🙂🙂", "🙂🙂🙂🙂…"},
		{"e\u0301e\u0301e\u0301", "e\u0301e\u0301e\u0301"},
		{"two\nlines", "two lines"},
		{"a\tb\rc\x07", "a b c"},
		{"\x1b[32mgreen\n\x1b[0m", "green"},
		{"trailing   ", "trailing"},
	} {
		if got := clip(test.text, 10); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
		}
	}
}
