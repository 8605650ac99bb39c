package progress

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// colour is the escape sequence that begins or ends one.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// clip makes a text one line that is shorter than a window of this many columns:
// a line that wraps would take more rows than are counted. A text that is cut
// ends with a mark, and loses its colours, so that none runs on.
func clip(text string, columns int) string {
	plain := colour.ReplaceAllString(text, "")
	if strings.ContainsFunc(plain, unicode.IsControl) {
		plain = strings.Map(printable, plain)
		text = plain
	}
	plain = strings.TrimRight(plain, " ")
	if cells(plain) < columns {
		return strings.TrimRight(text, " ")
	}
	const mark = "…"
	taken := 1 // By the mark.
	for i, r := range plain {
		if taken += runeCells(r); taken >= columns {
			return strings.TrimRight(plain[:i], " ") + mark
		}
	}
	return plain
}

// printable replaces characters that move the cursor.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// cells returns how many columns a line takes.
func cells(line string) int {
	n := 0
	for _, r := range colour.ReplaceAllString(line, "") {
		n += runeCells(r)
	}
	return n
}

// runeCells returns 2 for the wide characters of East Asian scripts and emoji,
// and 0 for those that are drawn over the one before.
func runeCells(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
		return 2
	}
	return 1
}
