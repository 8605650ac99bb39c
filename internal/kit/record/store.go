package record

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/koshop/koshop/internal/kit/usercache"
)

// Store keeps records in a directory.
type Store struct{ Dir usercache.Directory }

// UserDirectory returns the directory of the user's records.
func UserDirectory() usercache.Directory { return usercache.Of("records") }

// Key names a record: what an image was made from, and where it was pushed to.
type Key struct {
	WorkingDirectory string // absolute
	ImportPath       string
	Repository       string
}

// file returns the name of the record's file.
func (k Key) file() string {
	return hash(fmt.Sprintf("%q %q %q", k.WorkingDirectory, k.ImportPath, k.Repository))[:32]
}

// formLine is the first line of a record. Another version writes another one, and does not
// read this one.
const formLine = "ko record 1"

// Load returns the record of the key, or nil if there is none that this version can read.
func (s Store) Load(key Key) *Record {
	text := s.Dir.Read(key.file())
	if text == nil {
		return nil
	}
	r, err := parse(text)
	if err != nil {
		return nil // It was written by another version, or is damaged: the image is built.
	}
	return r
}

// Save writes the record of the key, whole or not at all.
func (s Store) Save(key Key, r *Record) error {
	if err := s.Dir.Write(key.file(), r.text()); err != nil {
		return fmt.Errorf("keeping the record of %s: %w", key.ImportPath, err)
	}
	return nil
}

func (r *Record) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nimage %q\nconditions %q\n", formLine, r.Image, r.conditions)
	r.Inputs.write(&b)
	for _, at := range r.snapshot.paths() {
		fmt.Fprintf(&b, "saw-%s %q %q\n", at.what, at.path, r.snapshot.seen[at])
	}
	b.WriteString("end\n")
	return b.Bytes()
}

var errDamaged = errors.New("the record is damaged")

func parse(text []byte) (*Record, error) {
	r := &Record{snapshot: newSnapshot()}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() || lines.Text() != formLine {
		return nil, errDamaged
	}
	for lines.Scan() {
		if lines.Text() == "end" {
			return r, nil
		}
		word, rest, _ := strings.Cut(lines.Text(), " ")
		values, err := unquote(rest)
		if err != nil {
			return nil, err
		}
		if err := r.set(word, values); err != nil {
			return nil, err
		}
	}
	return nil, errDamaged
}

func (r *Record) set(word string, values []string) error {
	what, isSight := strings.CutPrefix(word, "saw-")
	switch {
	case word == "image" && len(values) == 1:
		r.Image = values[0]
	case word == "conditions" && len(values) == 1:
		r.conditions = values[0]
	case isSight && len(values) == 2:
		r.snapshot.seen[sight{aspect(what), values[0]}] = values[1]
	case len(values) == 2:
		for kind, name := range kinds {
			if name == word {
				r.Inputs = append(r.Inputs, Input{Kind(kind), values[0], values[1]})
				return nil
			}
		}
		return errDamaged
	default:
		return errDamaged
	}
	return nil
}

// unquote reads strings in Go's syntax with blanks between them.
func unquote(text string) ([]string, error) {
	var values []string
	for text != "" {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return nil, errDamaged
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, errDamaged
		}
		values = append(values, value)
		text = strings.TrimPrefix(text[len(quoted):], " ")
	}
	return values, nil
}
