package web

import (
	"strings"
	"testing"
)

func TestHeaderLines(t *testing.T) {
	const first, header = "GET / HTTP/1.1\r\n", "A: 1\r\n"
	for name, test := range map[string]struct {
		text    string
		tooMany bool
	}{
		"none":                          {first + "\r\n", false},
		"as many as allowed":            {first + strings.Repeat(header, maxHeaders) + "\r\n", false},
		"one more":                      {first + strings.Repeat(header, maxHeaders+1) + "\r\n", true},
		"without an end":                {strings.Repeat(header, 2*maxHeaders), true},
		"lines without carriage return": {strings.Repeat("A: 1\n", 2*maxHeaders), true},
		"one line without an end":       {strings.Repeat("x", 1<<20), false},
		"few, and a body of many lines": {first + header + "\r\n" + strings.Repeat("[\n", 2*maxHeaders), false},
	} {
		for _, step := range []int{1, 2, 7, 1 << 20} { // bytes that are read at once
			var h headerLines
			tooMany := false
			for text := test.text; text != "" && !tooMany; {
				n := min(step, len(text))
				tooMany = h.tooMany([]byte(text[:n]))
				text = text[n:]
			}
			if tooMany != test.tooMany {
				t.Errorf("%s, read by %d bytes: %t", name, step, tooMany)
			}
		}
	}
}
