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
// calls at a time, one is served after the other. The other end may still be compiling
// when it connects.
func Receive(r io.Reader, w io.Writer, dir string) error {
	if err := awaitSupervisor(dir); err != nil {
		return err
	}
	s := &store{dir: dir}
	bases, err := s.offer(w)
	if err != nil {
		return err
	}
	defer bases.close()
	in := bufio.NewReaderSize(r, wire.MaxLine)
	head, err := readHeader(in)
	if err == nil {
		var unlock func()
		if unlock, err = lock(dir); err == nil {
			defer unlock()
			err = s.unpack(head, bases, in)
		}
	}
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

// bases are executables that what arrives may be the difference to. They are open,
// because others may have them removed before it arrives.
type bases map[wire.Digest]*os.File

func (b bases) close() {
	for _, file := range b {
		file.Close()
	}
}

// bases returns what is here, the newest first.
func (s *store) bases() (open bases, have []wire.Digest, err error) {
	listed, err := s.list()
	if err != nil {
		return nil, nil, fmt.Errorf("looking for what is here: %w", err)
	}
	open = bases{}
	for _, d := range listed {
		if file, err := os.Open(s.path(d)); err == nil {
			open[d] = file
			have = append(have, d)
		}
	}
	return open, have, nil
}

// offer says to the other end what is here.
func (s *store) offer(w io.Writer) (bases, error) {
	open, have, err := s.bases()
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(w).Encode(wire.Offer{Protocol: wire.Protocol, Image: s.imageOf(have), Have: have}); err != nil {
		open.close()
		return nil, fmt.Errorf("saying what is here: %w", err)
	}
	return open, nil
}

// unpack adds the executable that follows a header.
func (s *store) unpack(head wire.Header, from bases, in io.Reader) error {
	base := from[head.Base]
	if head.Base != "" && base == nil {
		return fmt.Errorf("it is the difference to %s, which is not here", head.Base)
	}
	if head.Base == head.Executable {
		if s.has(head.Executable) {
			return nil
		}
		return s.add(head.Executable, head.Size, base)
	}
	compressed, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(wire.Window), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer compressed.Close()
	if base == nil {
		return s.add(head.Executable, head.Size, compressed)
	}
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
