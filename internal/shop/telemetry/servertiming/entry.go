// Package servertiming reads and writes the header Server-Timing
// (https://www.w3.org/TR/server-timing/), which says which services took part in an
// answer, and for how long.
//
// The header of another service is never passed on unchanged: it is parsed, and the
// entries are written again.
package servertiming

import (
	"strconv"
	"strings"
	"time"
)

// Header is the name of the header.
const Header = "Server-Timing"

// Limits of a header that is written.
const (
	MaxEntries = 20
	maxBytes   = 2 << 10
	maxText    = 80 // of one name or value, in bytes
)

// Unmeasured is the duration of an entry that has none.
const Unmeasured time.Duration = -1

// Entry is what one service says about its part.
type Entry struct {
	Name     string // of the service
	Duration time.Duration
	Desc     string // the host name of its instance
	Version  string // of its executable
	Since    int64  // when the instance started, in seconds since 1970
	By       string // the service that called it
}

// Format returns the value of the header for as many entries as its limits allow. It
// leaves out entries whose name is not a token.
func Format(entries []Entry) string {
	var b strings.Builder
	for i, e := range entries {
		text := e.String()
		if i >= MaxEntries || b.Len()+len(text)+len(separator) > maxBytes {
			break
		}
		if text != "" && b.Len() > 0 {
			b.WriteString(separator)
		}
		b.WriteString(text)
	}
	return b.String()
}

const separator = ", "

// String returns the entry as it stands in the header, "" if its name is no token.
func (e Entry) String() string {
	if !isToken(e.Name) {
		return ""
	}
	b := []byte(e.Name)
	if e.Duration >= 0 {
		b = strconv.AppendFloat(append(b, ";dur="...), float64(e.Duration)/float64(time.Millisecond), 'f', 1, 64)
	}
	b = appendText(b, "desc", e.Desc)
	b = appendText(b, "version", e.Version)
	if e.Since > 0 {
		b = strconv.AppendInt(append(b, ";since="...), e.Since, 10)
	}
	return string(appendText(b, "by", e.By))
}

// appendText adds a parameter whose value is quoted, unless it is empty or no text.
func appendText(b []byte, name, value string) []byte {
	if value == "" || !isText(value) {
		return b
	}
	b = append(append(append(b, ';'), name...), '=', '"')
	for i := range len(value) {
		if value[i] == '"' || value[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, value[i])
	}
	return append(b, '"')
}

// isText reports whether a value is short and printable ASCII.
func isText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= maxText
}

// isToken reports whether a name is a token
// (https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		isLetter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !isLetter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != "" && len(s) <= maxText
}
