package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// Errors of unmarshal. The decoder's own texts name Go types and repeat what
// was sent; a client gets these instead.
var (
	errNotJSON = errors.New("is not valid JSON")
	errForm    = errors.New("does not have the expected form")
)

// maxEcho bounds, in bytes, what an answer repeats of a request.
const maxEcho = 200

// memberError is what is wrong with one member of a body. huma passes on
// nothing but its text, of which locate makes a location and a message.
type memberError struct{ path, message string }

const memberSeparator = " \x00 " // in no text: unmarshal refuses NUL

func (e *memberError) Error() string { return e.path + memberSeparator + e.message }

// within puts the name or the index of an outer value before the path.
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
	if !json.Valid(data) {
		return errNotJSON
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(untyped); err != nil {
		return errNotJSON
	}
	checked, problem := check(*untyped)
	if problem != nil {
		return problem
	}
	*untyped = checked
	return nil
}

// check returns the value with numbers as huma expects them, or the problem of
// one of its members. A number that no float64 holds becomes an infinity, which
// is beyond any limit.
func check(v any) (any, *memberError) {
	switch v := v.(type) {
	case json.Number:
		n, _ := strconv.ParseFloat(string(v), 64) // of a valid number only the range can be wrong
		return n, nil
	case string:
		if strings.ContainsRune(v, 0) {
			return nil, &memberError{message: "must not contain U+0000"}
		}
	case []any:
		for i := range v {
			checked, problem := check(v[i])
			if problem != nil {
				return nil, problem.within(fmt.Sprintf("[%d]", i))
			}
			v[i] = checked
		}
	case map[string]any:
		return checkObject(v)
	}
	return v, nil
}

// checkObject refuses members whose names differ in nothing but case: they are
// the same to encoding/json, where the last one wins, and not to huma.
func checkObject(members map[string]any) (any, *memberError) {
	seen := make(map[string]bool, len(members))
	for name, value := range members {
		folded := strings.Map(fold, name)
		if seen[folded] {
			return nil, (&memberError{message: "is given more than once"}).within(folded)
		}
		seen[folded] = true
		checked, problem := check(value)
		if problem != nil {
			return nil, problem.within(name)
		}
		members[name] = checked
	}
	return members, nil
}

// fold returns the same rune for all that are equal but for case, the lower one
// of a letter, so that texts become the same exactly when strings.EqualFold
// holds.
func fold(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
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

// refusesMember reports whether unmarshal refused a body for something else
// than its syntax, which huma calls a bad request all the same.
func refusesMember(errs []error) bool {
	return slices.ContainsFunc(errs, func(err error) bool {
		d, ok := err.(huma.ErrorDetailer)
		return ok && strings.Contains(d.ErrorDetail().Message, memberSeparator)
	})
}
