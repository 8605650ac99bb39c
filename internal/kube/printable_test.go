package kube_test

import (
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kube"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"two\nlines\tä":            "two\nlines\tä",
		"\x1b[31mred\x1b[0m\r\x07": "[31mred[0m",
		"\u009b2J":                 "2J",
		"not \xff UTF-8":           "not ? UTF-8",
		strings.Repeat("ä", 501):   strings.Repeat("ä", 500) + "…",
	} {
		if got := kube.Printable(text); got != want {
			t.Errorf("Printable(%q) = %q, want %q", text, got, want)
		}
	}
}
