package recent

import (
	"strconv"
	"strings"
	"sync"
	"testing"
)

func keys(m *Map[int], candidates string) string {
	var found []string
	for _, key := range strings.Fields(candidates) {
		if _, ok := m.Get(key); ok {
			found = append(found, key)
		}
	}
	return strings.Join(found, " ")
}

func TestTheOldestIsForgotten(t *testing.T) {
	for _, tc := range []struct {
		capacity  int
		put, kept string
	}{
		{3, "", ""},
		{3, "a b c", "a b c"},
		{3, "a b c d", "b c d"},
		{3, "a b c d e f g", "e f g"},
		{3, "a b a c a d", "b c d"}, // a is the oldest, however often it is set
		{3, "a b c d a", "a c d"},
		{1, "a b", "b"},
		{0, "a b", "b"},
		{-1, "a b", "b"},
	} {
		m := NewMap[int](tc.capacity)
		for i, key := range strings.Fields(tc.put) {
			m.Put(key, i)
		}
		if got := keys(m, "a b c d e f g"); got != tc.kept {
			t.Errorf("capacity %d, put %q: it has %q, want %q", tc.capacity, tc.put, got, tc.kept)
		}
	}
}

func TestPutReplaces(t *testing.T) {
	m := NewMap[int](2)
	m.Put("a", 1)
	m.Put("a", 2)
	if got, ok := m.Get("a"); got != 2 || !ok {
		t.Errorf("a is %d, %v", got, ok)
	}
}

// TestConcurrentUse is for the race detector too.
func TestConcurrentUse(t *testing.T) {
	const writers, each, capacity = 8, 200, 100
	m := NewMap[int](capacity)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				key := strconv.Itoa(w*each + i)
				m.Put(key, i)
				m.Get(key)
			}
		})
	}
	all.Wait()
	kept := 0
	for i := range writers * each {
		if _, ok := m.Get(strconv.Itoa(i)); ok {
			kept++
		}
	}
	if kept != capacity || len(m.values) != capacity {
		t.Errorf("it has %d entries that were put and %d in all, want %d", kept, len(m.values), capacity)
	}
}
