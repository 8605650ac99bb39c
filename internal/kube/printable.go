package kube

import (
	"strings"
	"unicode"
)

// maxLine bounds the lines of what others have written, in characters.
const maxLine = 500

// Printable returns a text that somebody else has written, such as a program or a
// registry, without what a terminal would obey, and with long lines cut.
func Printable(text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.ToValidUTF8(text, "?"), "\n") {
		visible := []rune(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && r != '\t' {
				return -1
			}
			return r
		}, line))
		if len(visible) > maxLine {
			visible = append(visible[:maxLine], '…')
		}
		lines = append(lines, string(visible))
	}
	return strings.Join(lines, "\n")
}
