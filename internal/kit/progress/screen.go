package progress

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// screen keeps live lines at the bottom of a terminal, below the lines that stay.
// It draws them in place: the scroll-back gets the lines that stay, and no copy
// of the live ones. Two things of terminals matter for that. Clearing a window
// from its first cell on (ED) moves what was there into the scroll-back of tmux
// and others, so that lines are erased one by one. And a window that becomes
// narrower breaks lines that were drawn before, which then take more rows.
type screen struct {
	w       io.Writer
	size    func() (width, height int) // columns and rows of the window
	reflows bool                       // whether the terminal breaks lines that are longer than a narrower window

	drawn         []string // lines of the last drawing
	blank         int      // empty rows above them, which belong to the drawing
	width, height int      // of the window at that time
	lost          int      // rows of live lines that a lower window has moved into the scroll-back
}

// newScreen returns a screen on a terminal.
func newScreen(terminal *os.File) *screen {
	size := func() (width, height int) {
		width, height, err := term.GetSize(int(terminal.Fd()))
		if err != nil || width <= 0 || height <= 1 {
			return 80, 24
		}
		return width, height
	}
	return &screen{w: terminal, size: size, reflows: reflows()}
}

// reflows reports whether the terminal is likely to break lines when its window
// becomes narrower. xterm, GNU screen and the console of Linux cut them off.
func reflows() bool {
	if os.Getenv("TMUX") != "" {
		return true
	}
	return os.Getenv("XTERM_VERSION") == "" && os.Getenv("STY") == "" && os.Getenv("TERM") != "linux"
}

// draw writes the lines that stay, then the live ones, which the next drawing
// overwrites. It writes nothing if that would change nothing.
func (s *screen) draw(stay, live []string) {
	width, height := s.size()
	lines := fit(live, height-1) // The last row is the cursor's.
	for i, line := range lines {
		lines[i] = clip(line, width)
	}
	if len(stay) == 0 && slices.Equal(lines, s.drawn) && width == s.width && height == s.height {
		return
	}
	var out strings.Builder
	free := s.erase(&out, width, height)
	for _, line := range stay {
		out.WriteString(line + "\n")
		free -= rowsOf(line, width)
	}
	if len(stay) > 0 {
		s.lost = 0 // They have come between.
	}
	s.blank = 0
	if len(lines) > 0 {
		s.blank = max(free-len(lines), 0)
	}
	out.WriteString(strings.Repeat("\n", s.blank))
	for _, line := range lines {
		out.WriteString(line + "\n")
	}
	s.drawn, s.width, s.height = lines, width, height
	io.WriteString(s.w, out.String())
}

// erase removes the last drawing, leaves the cursor where that began, and
// returns how many rows are free from there to the cursor's place before. A
// drawing that takes fewer rows leaves the first of them empty, for the lines that
// come next: a terminal that breaks lines would move rows into the scroll-back at
// the top of its window though there are empty ones at its bottom.
func (s *screen) erase(out *strings.Builder, width, height int) (free int) {
	rows := s.rows(width)
	free = min(rows, height-1) + s.recovered(width, height)
	s.lost += max(rows-(height-1), 0)
	if free == 0 {
		return 0
	}
	fmt.Fprintf(out, "\x1b[%dA\r", free)
	for range free {
		out.WriteString("\x1b[2K\x1b[1B")
	}
	fmt.Fprintf(out, "\x1b[2K\x1b[%dA", free)
	return free
}

// rows returns how many rows of the window the last drawing takes by now.
func (s *screen) rows(width int) int {
	if !s.reflows || width >= s.width {
		return s.blank + len(s.drawn)
	}
	rows := s.blank
	for _, line := range s.drawn {
		rows += rowsOf(line, width)
	}
	return rows
}

// rowsOf returns how many rows a line takes that wraps.
func rowsOf(line string, width int) int { return max((cells(line)+width-1)/width, 1) }

// recovered returns how many rows of live lines a higher window has taken back
// from the scroll-back. A terminal that takes none back has the first live line
// in its first row, above which the cursor cannot move.
func (s *screen) recovered(width, height int) int {
	if width != s.width {
		s.lost = 0 // Their number is not known any more.
	}
	rows := min(s.lost, max(height-s.height, 0))
	s.lost -= rows
	return rows
}

// fit keeps at most so many lines: more could not be overwritten.
func fit(lines []string, limit int) []string {
	if len(lines) <= limit {
		return slices.Clone(lines)
	}
	kept := max(limit-1, 0)
	return append(slices.Clone(lines[:kept]), fmt.Sprintf("  ... and %d more", len(lines)-kept))
}
