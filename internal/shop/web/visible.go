package web

import (
	"strings"
	"unicode"
)

// IsBlank reports whether a reader sees nothing of the text: it is empty, or has only
// spaces, control characters and other characters that fonts draw as empty space.
func IsBlank(s string) bool { return !strings.ContainsFunc(s, isVisible) }

// isVisible reports whether a character is drawn by itself. A mark, such as an accent, is
// not: it needs a letter to stand on, and some marks are never drawn.
func isVisible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, blank)
}

// blank has the symbols and letters that are drawn as empty space and that Unicode does
// not list as ignorable: the Braille pattern without dots, two blanks of Egyptian
// hieroglyphs, and a note without a head.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x13441, Hi: 0x13442, Stride: 1}, {Lo: 0x1D159, Hi: 0x1D159, Stride: 1}},
}
