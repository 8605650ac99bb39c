package progress

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"golang.org/x/term"
)

// screen keeps live lines at the bottom of a terminal, below the lines that stay.
type screen struct {
	file  *os.File
	drawn int // lines of the last drawing that the next one overwrites
}

// draw writes the lines that stay, then the live ones, which the next drawing
// overwrites.
func (s *screen) draw(stay, live []string) {
	var out strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&out, "\x1b[%dA\r\x1b[J", s.drawn) // up, and clear to the end
	}
	for _, line := range stay {
		out.WriteString(line + "\n")
	}
	width, height := s.size()
	lines := fit(live, height-1) // The last row is the cursor's.
	for _, line := range lines {
		out.WriteString(clip(line, width) + "\n")
	}
	s.drawn = len(lines)
	if out.Len() > 0 {
		fmt.Fprint(s.file, out.String())
	}
}

// fit keeps at most so many lines: more could not be overwritten.
func fit(lines []string, limit int) []string {
	if len(lines) <= limit {
		return lines
	}
	kept := max(limit-1, 0)
	return append(lines[:kept:kept], fmt.Sprintf("  ... and %d more", len(lines)-kept))
}

// size returns columns and rows.
func (s *screen) size() (width, height int) {
	width, height, err := term.GetSize(int(s.file.Fd()))
	if err != nil || width <= 0 || height <= 1 {
		return 80, 24
	}
	return width, height
}

// colour is the escape sequence that begins or ends one.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// clip keeps a line from wrapping, which would spoil the count of lines drawn.
// A line that is too long loses its colours too, so that none runs on.
func clip(line string, width int) string {
	plain := []rune(colour.ReplaceAllString(line, ""))
	if len(plain) < width {
		return line
	}
	return string(plain[:max(width-1, 0)])
}
