package workload

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// place is where a path of a container is on this machine.
type place struct{ inside, here string }

// paths are the places that a container mounts, the deepest first.
type paths []place

func newPaths(places []place) paths {
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(len(b.inside), len(a.inside)) })
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
func (p paths) rewrite(value string) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(value); i++ {
		if value[i] != '/' || i < done || !startsPath(value[:i]) {
			continue
		}
		if at, found := p.at(value[i:]); found {
			out.WriteString(value[done:i] + at.here)
			done = i + len(at.inside)
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
func (p paths) at(text string) (place, bool) {
	for _, at := range p {
		rest, found := strings.CutPrefix(text, at.inside)
		if found && (rest == "" || strings.IndexByte(ofPath, rest[0]) < 0) {
			return at, true
		}
	}
	return place{}, false
}

// directory returns where a directory of the container is, which is below root
// if it is not mounted.
func (p paths) directory(root, inside string) string {
	inside = path.Clean("/" + inside)
	if at, found := p.at(inside); found {
		return filepath.Join(at.here, filepath.FromSlash(inside[len(at.inside):]))
	}
	return filepath.Join(root, filepath.FromSlash(inside))
}
