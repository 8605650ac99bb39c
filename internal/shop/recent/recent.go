// Package recent remembers what came last.
package recent

import "sync"

// Map is a map from texts that forgets its oldest entries, so that what comes
// from outside without end does not fill the memory. Its methods may be called
// at the same time.
type Map[V any] struct {
	mu     sync.Mutex
	values map[string]V
	keys   []string // a ring: the next new key takes the place of the oldest
	next   int
}

// NewMap returns a map that keeps the newest capacity entries, at least one.
func NewMap[V any](capacity int) *Map[V] {
	return &Map[V]{values: map[string]V{}, keys: make([]string, 0, max(capacity, 1))}
}

// Put sets the value of a key. A key that is there already gets no younger.
func (m *Map[V]) Put(key string, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[key]; !ok {
		m.enter(key)
	}
	m.values[key] = value
}

// GetOrPut returns the value of a key, which is made if there is none.
func (m *Map[V]) GetOrPut(key string, made func() V) V {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[key]
	if !ok {
		value = made()
		m.enter(key)
		m.values[key] = value
	}
	return value
}

// enter notes a new key, and forgets the oldest if there is no room.
func (m *Map[V]) enter(key string) {
	if len(m.keys) < cap(m.keys) {
		m.keys = append(m.keys, key)
		return
	}
	delete(m.values, m.keys[m.next])
	m.keys[m.next] = key
	m.next = (m.next + 1) % len(m.keys)
}

// Get returns the value of a key, and whether there is one.
func (m *Map[V]) Get(key string) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[key]
	return value, ok
}
