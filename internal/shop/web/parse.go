package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of a body. The operation limits its size, but a small body can have thousands of
// objects, and an object takes many times its bytes in memory.
const (
	maxValues = 1000
	maxDepth  = 16
)

// parser reads JSON into an any, as huma validates it: numbers are float64.
type parser struct {
	decoder *jsontext.Decoder
	values  int
	depth   int
}

// parse reads a body. It refuses what two readers could understand differently.
func parse(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errNotUTF8
	}
	// Members that are given twice are refused with those that differ in case.
	twice := jsontext.AllowDuplicateNames(true)
	if !isJSON(jsontext.NewDecoder(bytes.NewReader(data), twice)) {
		return nil, errNotJSON
	}
	p := &parser{decoder: jsontext.NewDecoder(bytes.NewReader(data), twice)}
	return p.value()
}

// isJSON reports whether there is one value and nothing else. It goes through the tokens,
// because jsontext.Value.IsValid calls itself for each value in another one: a body of
// nothing but brackets takes megabytes of stack.
func isJSON(decoder *jsontext.Decoder) bool {
	for {
		if _, err := decoder.ReadToken(); err != nil {
			return false
		}
		if decoder.StackDepth() == 0 {
			_, err := decoder.ReadToken()
			return err == io.EOF
		}
	}
}

func (p *parser) value() (any, error) {
	token, err := p.decoder.ReadToken()
	if err != nil {
		return nil, errNotJSON
	}
	if p.values++; p.values > maxValues {
		return nil, &memberError{message: fmt.Sprintf("has more than %d values", maxValues)}
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return text(token.String())
	case '0':
		// A number that no float64 holds becomes an infinity, which is beyond any limit.
		n, _ := strconv.ParseFloat(token.String(), 64)
		return n, nil
	}
	if p.depth++; p.depth > maxDepth {
		return nil, &memberError{message: fmt.Sprintf("is nested more than %d deep", maxDepth)}
	}
	defer func() { p.depth-- }()
	if token.Kind() == '[' {
		return p.array()
	}
	return p.object()
}

func (p *parser) array() (any, error) {
	items := []any{}
	for i := 0; p.decoder.PeekKind() != ']'; i++ {
		item, err := p.value()
		if err != nil {
			return nil, within(err, "["+strconv.Itoa(i)+"]")
		}
		items = append(items, item)
	}
	_, err := p.decoder.ReadToken()
	return items, err
}

// object refuses members whose names differ in nothing but case: they are the same to
// encoding/json, where the last one wins, and not to huma.
func (p *parser) object() (any, error) {
	members, seen := map[string]any{}, map[string]bool{}
	for p.decoder.PeekKind() != '}' {
		token, err := p.decoder.ReadToken()
		if err != nil {
			return nil, errNotJSON
		}
		name := token.String()
		folded := strings.Map(Fold, name)
		if seen[folded] {
			return nil, (&memberError{message: "is given more than once"}).within(folded)
		}
		seen[folded] = true
		if members[name], err = p.value(); err != nil {
			return nil, within(err, name)
		}
	}
	_, err := p.decoder.ReadToken()
	return members, err
}

// text returns a string, unless no database can store it.
func text(s string) (any, error) {
	if strings.ContainsRune(s, 0) {
		return nil, &memberError{message: "must not contain U+0000"}
	}
	return s, nil
}

// within says in which value the problem of a member is.
func within(err error, outer string) error {
	if problem, ok := errors.AsType[*memberError](err); ok {
		return problem.within(outer)
	}
	return err
}
