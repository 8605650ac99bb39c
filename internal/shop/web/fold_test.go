package web

import (
	"strings"
	"testing"
	"unicode"
)

// Every character stays with those that are equal but for case, and with no others.
func TestFoldsEachCharacter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if folded := Fold(r); !strings.EqualFold(string(r), string(folded)) || folded != Fold(folded) || folded != Fold(unicode.SimpleFold(r)) {
			t.Errorf("%q becomes %q, %q becomes %q", r, folded, unicode.SimpleFold(r), Fold(unicode.SimpleFold(r)))
		}
	}
}
