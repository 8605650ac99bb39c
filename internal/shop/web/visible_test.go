package web

import (
	"strings"
	"testing"
)

func TestIsBlank(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "a space": " ", "a tab and a line break": "\t\r\n", "a no-break space": "\u00a0", "an ideographic space": "\u3000", "an en quad": "\u2000",
		"a line separator": "\u2028", "a zero-width space": "\u200b", "a zero-width joiner": "\u200d", "a word joiner": "\u2060", "a byte order mark": "\ufeff",
		"a soft hyphen": "\u00ad", "a right-to-left override": "\u202e", "an invisible times": "\u2062", "a Mongolian vowel separator": "\u180e",
		"a Hangul filler": "\u3164", "a Hangul initial filler": "\u115f", "a Hangul medial filler": "\u1160", "a half-width Hangul filler": "\uffa0",
		"a Braille blank": "\u2800", "an Egyptian full blank": "\U00013441", "an Egyptian half blank": "\U00013442", "a note without a head": "\U0001d159",
		"a variation selector": "\ufe0f", "a supplementary variation selector": "\U000e0100", "a grapheme joiner": "\u034f", "a Khmer inherent vowel": "\u17b4",
		"a Khitan filler": "\U00016fe4", "a tag": "\U000e0041", "an accent": "\u0301", "a control character": "\x01", "DEL": "\x7f",
		"a private character": "\ue000", "an unassigned one that is ignorable": "\U000e0fff", "an interlinear anchor": "\ufff9",
		"many": " \u3164\u200b\u2800\ufe0f ",
	} {
		if !IsBlank(text) {
			t.Errorf("%s, %+q, is not blank", name, text)
		}
	}
	for _, text := range []string{"a", "7", "Ann", "李", "한", "ء", "क", "é", "e\u0301", "-", "☺", "👩\u200d💻", "❤\ufe0f", "⠁", "𓀀", "€", " . ", "\u3164a", "ﾊ"} {
		if IsBlank(text) {
			t.Errorf("%q is blank", text)
		}
		if IsBlank(strings.Repeat("\u3164", 3) + text) {
			t.Errorf("%q after fillers is blank", text)
		}
	}
}
