package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// marks stand before what was seen, in these colours of a terminal.
var marks = map[Status]struct{ mark, colour string }{
	Passed:  {"✓", "\x1b[32m"},
	Failed:  {"✗", "\x1b[31m"},
	Warned:  {"!", "\x1b[33m"},
	Skipped: {"–", "\x1b[2m"},
}

const (
	plain = "\x1b[0m"
	bold  = "\x1b[1m"
	// clear takes back the line of a step that is being looked at.
	clear = "\r\x1b[2K"
)

// Printer shows a run to a person: a line for each step, and below it what to
// do next. On a terminal it shows what is being looked at.
type Printer struct {
	w        io.Writer
	terminal bool
	coloured bool
	begun    bool
	width    int    // of the names of a section
	next     string // what was said last to do; it is said once
}

// NewPrinter returns a printer. Only on a terminal there are colours, and none
// with NO_COLOR (https://no-color.org).
func NewPrinter(w io.Writer) *Printer {
	file, ok := w.(*os.File)
	terminal := ok && term.IsTerminal(int(file.Fd()))
	return &Printer{w: w, terminal: terminal, coloured: terminal && os.Getenv("NO_COLOR") == ""}
}

// Section begins a section.
func (p *Printer) Section(s Section) {
	if p.begun {
		fmt.Fprintln(p.w)
	}
	p.begun, p.width, p.next = true, 0, ""
	for _, step := range s.Steps {
		p.width = max(p.width, len(step.Name))
	}
	fmt.Fprintf(p.w, "%s: %s\n", p.paint(bold, s.Name), s.Title)
}

// Looking shows what is looked at.
func (p *Printer) Looking(s Step) {
	if p.terminal {
		fmt.Fprintf(p.w, "  … %s", s.Name)
	}
}

// Saw shows what was seen.
func (p *Printer) Saw(r StepResult) {
	if p.terminal {
		fmt.Fprint(p.w, clear)
	}
	mark := marks[r.Status]
	indent := strings.Repeat(" ", p.width+6)
	fmt.Fprintf(p.w, "  %s %-*s  %s\n", p.paint(mark.colour, mark.mark), p.width, r.Name, strings.ReplaceAll(r.Saw, "\n", "\n"+indent))
	if r.Next != "" && r.Next != p.next {
		p.next = r.Next
		fmt.Fprintf(p.w, "%s→ %s\n", indent, strings.ReplaceAll(r.Next, "\n", "\n"+indent+"  "))
	}
}

func (p *Printer) paint(colour, text string) string {
	if !p.coloured {
		return text
	}
	return colour + text + plain
}

// Quiet shows nothing, for what is printed at the end.
type Quiet struct{}

// Section is nothing to say.
func (Quiet) Section(Section) {}

// Looking is nothing to say.
func (Quiet) Looking(Step) {}

// Saw is nothing to say.
func (Quiet) Saw(StepResult) {}

// PrintJSON prints what became of the sections, for programs.
func PrintJSON(w io.Writer, results []Result) error {
	passed := true
	for _, result := range results {
		passed = passed && result.Passed()
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Passed   bool     `json:"passed"`
		Sections []Result `json:"sections"`
	}{passed, results})
}
