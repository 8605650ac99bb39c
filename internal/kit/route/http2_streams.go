package route

import (
	"bufio"
	"context"
	"encoding/binary"
	"sync"
)

// streams are those of an HTTP/2 connection that have begun and not ended: each side
// ends its half of one (https://www.rfc-editor.org/rfc/rfc9113#section-5.1).
type streams struct {
	mu     sync.Mutex
	open   map[uint32]*halves
	newest uint32
	none   chan struct{} // closed when no stream is left; nil if nothing waits for that
	ping   chan struct{} // closed when our ping is answered
	once   sync.Once
}

// halves says which side has ended its half of a stream.
type halves struct{ client, server bool }

func newStreams() *streams {
	return &streams{open: map[uint32]*halves{}, ping: make(chan struct{})}
}

// fromClient takes note of a frame of the client.
func (s *streams) fromClient(f frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.kind == frameHeaders && f.stream > s.newest { // Else they are trailers.
		s.newest = f.stream
		s.open[f.stream] = &halves{}
	}
	s.note(f, func(h *halves) { h.client = true })
}

// fromServer takes note of a frame of the program, or of a block of headers.
func (s *streams) fromServer(f frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(f, func(h *halves) { h.server = true })
}

func (s *streams) note(f frame, end func(*halves)) {
	h := s.open[f.stream]
	if h == nil {
		return
	}
	if (f.kind == frameHeaders || f.kind == frameData) && f.has(flagEndStream) {
		end(h)
	}
	if f.kind == frameReset || h.client && h.server {
		delete(s.open, f.stream)
		s.tell()
	}
}

// goneAway takes note of the program's GOAWAY, whose payload comes next: it answers no
// stream after the one that is named there.
func (s *streams) goneAway(in *bufio.Reader) {
	payload, err := in.Peek(4)
	if err != nil {
		return
	}
	last := binary.BigEndian.Uint32(payload) &^ (1 << 31)
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream := range s.open {
		if stream > last {
			delete(s.open, stream)
		}
	}
	s.tell()
}

func (s *streams) tell() {
	if len(s.open) == 0 && s.none != nil {
		close(s.none)
		s.none = nil
	}
}

// begun returns the newest stream that the client has begun.
func (s *streams) begun() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// untilNone returns true when no stream is left, and false if ctx ends before.
func (s *streams) untilNone(ctx context.Context) bool {
	s.mu.Lock()
	if len(s.open) == 0 {
		s.mu.Unlock()
		return true
	}
	none := make(chan struct{})
	s.none = none
	s.mu.Unlock()
	select {
	case <-none:
		return true
	case <-ctx.Done():
		return false
	}
}

// pinged takes note of the answer to our ping.
func (s *streams) pinged() { s.once.Do(func() { close(s.ping) }) }

// untilPinged waits for it until ctx ends.
func (s *streams) untilPinged(ctx context.Context) {
	select {
	case <-s.ping:
	case <-ctx.Done():
	}
}
