// Package delta describes a version of a program by the one before.
//
// What a linker writes for an edited program is the old text with new functions
// in between, and with other numbers wherever code or data refers to something
// that has moved. Compression against the old version copes with the first, and
// stumbles over the second every few bytes. So, as in Colin Percival's "Naive
// Differences of Executable Code" (bsdiff, 2003), a stretch of the new version
// is the sum of a stretch of the old one and of differences that are mostly
// zero or all the same, which a compressor then makes small. Where bsdiff sorts
// all suffixes of the old version, which takes longer than to link the new one,
// this looks for whole blocks, because functions are aligned.
//
// The format is a sequence of steps, each of them
//
//	uvarint length of the bytes that are in no stretch of the old version
//	bytes   as they are
//	varint  where the stretch of the old version begins, relative to the end of the one before
//	uvarint its length
//	bytes   what to add to each of its bytes, modulo 256
//
// It neither is compressed nor says where it ends: what carries it does.
package delta

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Write writes what makes after out of before.
func Write(w io.Writer, before, after []byte) error {
	out := &writer{Writer: bufio.NewWriterSize(w, 1<<16)}
	var at, from int // the ends of the stretch before, in after and in before
	for _, s := range stretches(before, after) {
		out.uvarint(s.at - at)
		out.Write(after[at:s.at])
		out.varint(s.from - from)
		out.uvarint(s.length)
		out.difference(before[s.from:s.from+s.length], after[s.at:s.at+s.length])
		at, from = s.at+s.length, s.from+s.length
	}
	if at < len(after) {
		out.uvarint(len(after) - at)
		out.Write(after[at:])
	}
	return out.Flush() // It keeps the first error.
}

type writer struct {
	*bufio.Writer
	number [binary.MaxVarintLen64]byte
}

func (w *writer) uvarint(n int) { w.Write(binary.AppendUvarint(w.number[:0], uint64(n))) }
func (w *writer) varint(n int)  { w.Write(binary.AppendVarint(w.number[:0], int64(n))) }

// zeros are what most pages of a program differ by.
var zeros [1 << 14]byte

// difference writes what to add to the bytes of before.
func (w *writer) difference(before, after []byte) {
	for len(before) > 0 {
		n := min(len(before), len(zeros))
		if bytes.Equal(before[:n], after[:n]) {
			w.Write(zeros[:n])
		} else {
			differ := make([]byte, n)
			for i := range differ {
				differ[i] = after[i] - before[i]
			}
			w.Write(differ)
		}
		before, after = before[n:], after[n:]
	}
}

// Reader reads a version out of what Write wrote and the version before. It
// trusts neither: what does not fit is an error.
type Reader struct {
	before  io.ReaderAt
	steps   *bufio.Reader
	from    int64 // where the next byte to add to is, in before
	left    int64 // bytes of the part of a step that is being read
	copying bool  // the part is a stretch of before
	old     []byte
}

// NewReader returns a reader of the version that w wrote.
func NewReader(steps io.Reader, before io.ReaderAt) *Reader {
	return &Reader{before: before, steps: bufio.NewReaderSize(steps, 1<<16), copying: true}
}

// Read returns io.EOF at the end of a step, and io.ErrUnexpectedEOF within one.
func (r *Reader) Read(p []byte) (n int, err error) {
	for r.left == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n, err = r.steps.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if r.copying {
		err = errors.Join(r.add(p[:n]), err)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next begins the next part.
func (r *Reader) next() error {
	r.copying = !r.copying
	if r.copying {
		skip, err := binary.ReadVarint(r.steps)
		if errors.Is(err, io.EOF) {
			return io.EOF // After the bytes at the end of the version.
		}
		if err != nil {
			return err
		}
		r.from += skip
	}
	length, err := binary.ReadUvarint(r.steps)
	if errors.Is(err, io.EOF) && r.copying {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	if r.left = int64(length); r.left < 0 || r.from < 0 {
		return errors.New("the difference is damaged")
	}
	return nil
}

// add adds the next bytes of before to the differences in p.
func (r *Reader) add(p []byte) error {
	if cap(r.old) < len(p) {
		r.old = make([]byte, len(p))
	}
	old := r.old[:len(p)]
	if _, err := r.before.ReadAt(old, r.from); err != nil {
		return fmt.Errorf("reading the version before: %w", err)
	}
	addTo(p, old)
	r.from += int64(len(p))
	return nil
}

// addTo adds the bytes of old to those of p.
func addTo(p, old []byte) {
	for len(p) > 0 {
		n := min(len(p), len(zeros))
		if bytes.Equal(p[:n], zeros[:n]) {
			copy(p, old[:n])
		} else {
			for i, b := range old[:n] {
				p[i] += b
			}
		}
		p, old = p[n:], old[n:]
	}
}
