package record

import (
	"maps"
	"slices"
	"sync"
)

// Snapshot is what was seen on this machine when the inputs of a program were found.
type Snapshot struct {
	mu   sync.Mutex
	seen map[sight]string
	// touched is which inode each path was, and when it was last touched. It is compared
	// at the end of a build only: a checkout touches files without changing them.
	touched map[string]string
}

// sight is something that was looked at.
type sight struct {
	what aspect
	path string
}

func newSnapshot() *Snapshot {
	return &Snapshot{seen: map[sight]string{}, touched: map[string]string{}}
}

// note looks at a path, remembers what there is to see, and returns it.
func (s *Snapshot) note(look *Look, what aspect, path string) string {
	touched := ""
	if what == content || what == names {
		touched = look.at(touch, path) // At first: a file may be changed while it is read.
	}
	text := look.at(what, path)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[sight{what, path}] = text
	if touched != "" {
		s.touched[path] = touched
	}
	return text
}

// add adds what was looked at for another program.
func (s *Snapshot) add(other *Snapshot) {
	maps.Copy(s.seen, other.seen)
	maps.Copy(s.touched, other.touched)
}

// isUntouched reports whether all is to be seen as it was, and was so all the time.
func (s *Snapshot) isUntouched(look *Look) bool {
	for path, was := range s.touched {
		if look.at(touch, path) != was {
			return false
		}
	}
	return s.Holds(look)
}

// Holds reports whether all is to be seen as it was. It reads the content of files that
// are there to be edited: neither their sizes nor their times say whether they have
// changed.
func (s *Snapshot) Holds(look *Look) bool {
	for at, was := range s.seen {
		if isUnreadable(was) || look.at(at.what, at.path) != was {
			return false
		}
	}
	return true
}

// unreadable returns the first path that could not be read.
func (s *Snapshot) unreadable() (text string, found bool) {
	for _, at := range s.paths() {
		if text := s.seen[at]; isUnreadable(text) {
			return text, true
		}
	}
	return "", false
}

// paths returns what was looked at, sorted.
func (s *Snapshot) paths() []sight {
	return slices.SortedFunc(maps.Keys(s.seen), func(a, b sight) int {
		if a.path != b.path {
			if a.path < b.path {
				return -1
			}
			return 1
		}
		if a.what < b.what {
			return -1
		}
		return 1
	})
}
