// Package logs keeps what programs log, for tests that read it.
package logs

import (
	"bytes"
	"strings"
	"sync"
)

// Buffer is a log that several goroutines write. It is ready for use.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Count returns how many times the log has the text.
func (b *Buffer) Count(text string) int { return strings.Count(b.String(), text) }
