// Package parcel packs an executable for pods, on the developer's machine: as a rule
// as the difference to one that a pod has and a library on this machine, too.
package parcel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/koshop/koshop/internal/kit/reload/delta"
	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// Parcel is an executable that is sent to one pod or to several.
type Parcel struct {
	header     wire.Header
	executable []byte
	library    *Library

	mu     sync.Mutex
	bodies map[wire.Digest][]byte // compressed, by what they are the difference to
}

// New reads an executable, which is to differ from one of a library.
func New(path string, library *Library) (*Parcel, error) {
	executable, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	head := wire.Header{Protocol: wire.Protocol, Build: wire.Build{Executable: wire.DigestBytes(executable)}, Size: int64(len(executable))}
	return &Parcel{header: head, executable: executable, library: library, bodies: map[wire.Digest][]byte{}}, nil
}

// Remember keeps the executable in the library for the next one to differ from. It only
// saves time, so that it does not matter if it fails.
func (p *Parcel) Remember() { _ = p.library.Keep(p.executable) }

// Keep makes the receiver keep the executable without running it, as is due to
// a debugger.
func (p *Parcel) Keep() { p.header.Keep = true }

// RunUnder makes the receiver run the executable under a debugger that it keeps.
func (p *Parcel) RunUnder(debugger *Parcel) { p.header.Debugger = debugger.header.Executable }

// HandOver gives the executable to supervisor.Receive at the other end of a
// connection: as the difference to one of those that it has offered and the library has,
// if there is one, and whole otherwise. It returns the number of bytes that it took.
func (p *Parcel) HandOver(w io.Writer, offered wire.Offer) (sent int, err error) {
	head, body := p.header, []byte(nil)
	if slices.Contains(offered.Have, head.Executable) {
		head.Base = head.Executable
	} else if head.Base, body, err = p.bodyFor(offered.Have); err != nil {
		return 0, err
	}
	line, err := json.Marshal(head)
	if err != nil {
		return 0, err
	}
	return w.Write(append(append(line, '\n'), body...))
}

// Record returns what pods of an image are to begin with, in parts.
func (p *Parcel) Record(image wire.Digest) ([]map[string][]byte, error) {
	record := wire.Record{Header: p.header, Image: image}
	record.Debugger = "" // It comes when a container runs.
	if record.Executable == image {
		record.Base = image
		return record.Split(nil)
	}
	var body []byte
	var err error
	if record.Base, body, err = p.bodyFor([]wire.Digest{image}); err != nil {
		return nil, err
	}
	return record.Split(body)
}

// bodyFor returns what follows the header, for a pod that has certain
// executables, and which of them it is the difference to.
func (p *Parcel) bodyFor(have []wire.Digest) (base wire.Digest, body []byte, err error) {
	have = slices.DeleteFunc(have, func(d wire.Digest) bool { return d == p.header.Debugger })
	p.mu.Lock()
	defer p.mu.Unlock()
	base, before := p.library.nearest(have, p.header.Size)
	if _, done := p.bodies[base]; !done {
		if p.bodies[base], err = p.compress(base != "", before); err != nil {
			return "", nil, fmt.Errorf("compressing: %w", err)
		}
	}
	return base, p.bodies[base], nil
}

// compress returns the executable, or its difference to another.
func (p *Parcel) compress(difference bool, before []byte) ([]byte, error) {
	var body bytes.Buffer
	compressed, err := zstd.NewWriter(&body, zstd.WithWindowSize(wire.Window))
	if err != nil {
		return nil, err
	}
	if difference {
		err = delta.Write(compressed, before, p.executable)
	} else {
		_, err = compressed.Write(p.executable)
	}
	err = errors.Join(err, compressed.Close())
	return body.Bytes(), err
}
