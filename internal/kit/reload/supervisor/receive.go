//go:build unix

package supervisor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/koshop/koshop/internal/kit/reload/delta"
	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// Receive speaks with parcel.HandOver at the other end of a connection. It brings
// an executable into the supervisor's directory, and returns once the supervisor
// runs it. Nothing changes unless all of it arrives as it was sent. Of several
// calls at a time, one is served after the other.
func Receive(r io.Reader, w io.Writer, dir string) error {
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	head, err := receive(r, w, &store{dir: dir})
	// Container runtimes do not end an exec whose program has not read all of its
	// stdin. The sender closes it in any case.
	if _, drained := io.Copy(io.Discard, r); err == nil && drained != nil {
		err = drained
	}
	if err != nil {
		return fmt.Errorf("receiving an executable: %w", err)
	}
	if head.Keep {
		return json.NewEncoder(w).Encode(wire.Result{})
	}
	note, err := ask(dir, head.Build)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(wire.Result{Note: note})
}

func receive(r io.Reader, w io.Writer, s *store) (head wire.Header, err error) {
	have, err := s.list()
	if err != nil {
		return head, fmt.Errorf("looking for what is here: %w", err)
	}
	if err := json.NewEncoder(w).Encode(wire.Offer{Protocol: wire.Protocol, Image: s.imageOf(have), Have: have}); err != nil {
		return head, fmt.Errorf("saying what is here: %w", err)
	}
	in := bufio.NewReaderSize(r, wire.MaxLine)
	if head, err = readHeader(in); err != nil {
		return head, err
	}
	return head, s.unpack(head, in)
}

// unpack adds the executable that follows a header.
func (s *store) unpack(head wire.Header, in io.Reader) error {
	if head.Base == head.Executable {
		return s.check(head.Executable)
	}
	compressed, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(wire.Window), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer compressed.Close()
	if head.Base == "" {
		return s.add(head.Executable, head.Size, compressed)
	}
	base, err := os.Open(s.path(head.Base))
	if err != nil {
		return fmt.Errorf("opening what it is the difference to: %w", err)
	}
	defer base.Close()
	return s.add(head.Executable, head.Size, delta.NewReader(compressed, base))
}

func readHeader(in *bufio.Reader) (head wire.Header, err error) {
	line, err := in.ReadSlice('\n')
	if err == nil {
		err = json.Unmarshal(line, &head)
	}
	if err != nil {
		return head, fmt.Errorf("reading its header: %w", err)
	}
	return head, head.Check()
}
