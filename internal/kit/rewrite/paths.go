package rewrite

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Place is where a path of a container is on this machine.
type Place struct{ Inside, Here string }

// Paths are the places that a container mounts, the deepest first.
type Paths []Place

// NewPaths puts places into the order of Paths.
func NewPaths(places []Place) Paths {
	slices.SortStableFunc(places, func(a, b Place) int { return cmp.Compare(len(b.Inside), len(a.Inside)) })
	return places
}

// What may precede a path in a value, and what goes on with its last element.
const (
	beforePath = space + ":=,;\"'`([{@|<>&"
	ofPath     = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
)

// rewrite replaces every mounted path in value, and the beginning of every
// path below one. /database is not below /data, and http://host/data is no
// path of the container.
func (p Paths) rewrite(value string) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(value); i++ {
		if value[i] != '/' || i < done || !startsPath(value[:i]) {
			continue
		}
		if at, found := p.at(value[i:]); found {
			out.WriteString(value[done:i] + at.Here)
			done = i + len(at.Inside)
		}
	}
	return out.String() + value[done:]
}

// startsPath reports whether a path may start behind before; the third slash
// of file:///data does.
func startsPath(before string) bool {
	return endsWith(before, beforePath) || strings.HasSuffix(before, "://")
}

// at returns the place at or above the path that text starts with.
func (p Paths) at(text string) (Place, bool) {
	for _, at := range p {
		rest, found := strings.CutPrefix(text, at.Inside)
		if found && (rest == "" || strings.IndexByte(ofPath, rest[0]) < 0) {
			return at, true
		}
	}
	return Place{}, false
}

// Directory returns where a directory of the container is, which is below root
// if it is not mounted.
func (p Paths) Directory(root, inside string) string {
	inside = path.Clean("/" + inside)
	if at, found := p.at(inside); found {
		return filepath.Join(at.Here, filepath.FromSlash(inside[len(at.Inside):]))
	}
	return filepath.Join(root, filepath.FromSlash(inside))
}
