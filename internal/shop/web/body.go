package web

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// Errors of unmarshal. A client gets these instead of the decoder's own texts, which name
// Go types and repeat the request.
var (
	errNotJSON = errors.New("is not valid JSON")
	errNotUTF8 = errors.New("is not UTF-8 text")
	errForm    = errors.New("does not have the expected form")
)

// maxEcho bounds, in bytes, what an answer repeats of a request.
const maxEcho = 200

// memberError is what is wrong with one member of a body. huma passes on only its text;
// locate splits that into a location and a message.
type memberError struct{ path, message string }

const memberSeparator = " \x00 " // in no text: unmarshal refuses NUL

func (e *memberError) Error() string { return e.path + memberSeparator + e.message }

// within puts the name or the index of the enclosing value before the path.
func (e *memberError) within(outer string) *memberError {
	if e.path != "" && e.path[0] != '[' {
		outer += "."
	}
	e.path = clip(strings.ReplaceAll(outer, "\x00", "") + e.path)
	return e
}

// formats are huma's, but for how JSON is read.
func formats() map[string]huma.Format {
	strict := huma.DefaultJSONFormat
	strict.Unmarshal = unmarshal
	return map[string]huma.Format{"application/json": strict, "json": strict}
}

// unmarshal reads a body for huma: once into an any, which huma validates, and
// then into the operation's type. The first time, it refuses what the two could
// read differently, and text that no database can store.
func unmarshal(data []byte, v any) error {
	untyped, ok := v.(*any)
	if !ok {
		if json.Unmarshal(data, v) != nil {
			return errForm
		}
		return nil
	}
	value, err := parse(data)
	if err == nil {
		*untyped = value
	}
	return err
}

// Fold returns the same rune for all that are equal but for case, the lower one
// of a letter, so that texts become the same exactly when strings.EqualFold
// holds.
func Fold(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if unicode.SimpleFold(least) == least { // İ has the lower letter i, whose upper letter is I
		return least
	}
	return unicode.ToLower(least)
}

// clip shortens what an answer repeats of a request.
func clip(s string) string {
	if len(s) <= maxEcho {
		return s
	}
	end := maxEcho
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// refusesMember reports whether unmarshal refused a member of a body whose syntax is
// right. huma calls that a bad request, too.
func refusesMember(errs []error) bool {
	return slices.ContainsFunc(errs, func(err error) bool {
		d, ok := err.(huma.ErrorDetailer)
		return ok && strings.Contains(d.ErrorDetail().Message, memberSeparator)
	})
}
