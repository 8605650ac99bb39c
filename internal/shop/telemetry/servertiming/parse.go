package servertiming

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Limits of a header that is parsed.
const (
	maxRead     = 8 << 10   // bytes
	maxDuration = time.Hour // A longer one cannot be the time of an answer.
)

// Parse returns the entries of the header's values, the first [MaxEntries] at most. It
// leaves out what it does not understand.
func Parse(values []string) []Entry {
	header := strings.Join(values, ",")
	if len(header) > maxRead {
		return nil
	}
	var entries []Entry
	for _, text := range split(header, ',') {
		if e, ok := parse(text); ok && len(entries) < MaxEntries {
			entries = append(entries, e)
		}
	}
	return entries
}

func parse(text string) (e Entry, ok bool) {
	parts := split(text, ';')
	e = Entry{Name: strings.Trim(parts[0], blank), Duration: Unmeasured}
	if !isToken(e.Name) {
		return e, false
	}
	for _, parameter := range parts[1:] {
		name, value, _ := strings.Cut(parameter, "=")
		value, ok := unquote(strings.Trim(value, blank))
		if !ok {
			continue
		}
		switch strings.ToLower(strings.Trim(name, blank)) {
		case "dur":
			e.Duration = milliseconds(value)
		case "desc":
			e.Desc = value
		case "version":
			e.Version = value
		case "since":
			e.Since, _ = strconv.ParseInt(value, 10, 64) // 0 is none
		case "by":
			e.By = value
		}
	}
	return e, true
}

const blank = " \t"

// milliseconds reads a duration; one that is no time is [Unmeasured].
func milliseconds(text string) time.Duration {
	ms, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(ms) || ms < 0 || ms > float64(maxDuration/time.Millisecond) {
		return Unmeasured
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// unquote returns the value of a token or a quoted string.
func unquote(s string) (value string, ok bool) {
	if isToken(s) {
		return s, true
	}
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", false
	}
	var b strings.Builder
	for s = s[1 : len(s)-1]; s != ""; s = s[1:] {
		if s[0] == '\\' {
			if s = s[1:]; s == "" { // The last quotation mark was escaped.
				return "", false
			}
		}
		b.WriteByte(s[0])
	}
	return b.String(), isText(b.String())
}

// split cuts s at the separator, but not within quoted strings.
func split(s string, separator byte) []string {
	var parts []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
		case s[i] == separator && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}
