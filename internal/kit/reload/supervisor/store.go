//go:build unix

package supervisor

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// store is a directory that outlives the container but not the pod, such as an
// emptyDir. It holds the executables that were sent, by digest; under its digest
// a link to the image's; and the history, by which the next start begins.
type store struct {
	dir   string
	image wire.Digest // of the executable in the image
}

// history is what runs, and what ran before and runs again if that is broken.
type history struct {
	Current wire.Build `json:"current"`
	OnTrial bool       `json:"onTrial,omitempty"` // it has not run long enough yet
	// Before ran before, for a moment at least.
	Before wire.Build `json:"before"`
	// Proved is the last one that has run long enough.
	Proved wire.Build `json:"proved"`
}

// tries returns the history once another build is on trial.
func (h history) tries(next wire.Build) history {
	return history{Current: next, OnTrial: true, Before: h.Current, Proved: h.Proved}
}

// proved returns the history once the trial is over.
func (h history) proved() history {
	return history{Current: h.Current, Before: h.Current, Proved: h.Current}
}

// failed returns the history once a build on trial has ended. The one before it goes
// on with its own trial, so that of several bad ones in a row none remains.
func (h history) failed() history {
	return history{Current: h.Before, OnTrial: h.Before != h.Proved, Before: h.Proved, Proved: h.Proved}
}

// historyName is the file that holds the history.
const historyName = "history"

// incoming is the pattern of the names of executables that are being written.
const incoming = "incoming-*"

// noted is what is in that file.
type noted struct {
	history
	Image wire.Digest `json:"image"` // the image's executable at that time
}

func (s *store) path(d wire.Digest) string { return filepath.Join(s.dir, string(d)) }

// history returns the history that was noted down last. It is that of an empty store
// if the image's executable has changed since, which is newer then.
func (s *store) history() (history, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, historyName))
	if errors.Is(err, fs.ErrNotExist) {
		return history{}, nil
	}
	var last noted
	if err == nil {
		err = json.Unmarshal(text, &last)
	}
	if err != nil {
		return history{}, fmt.Errorf("reading what ran before: %w", err)
	}
	if last.Image != s.image {
		return history{}, nil
	}
	if last.OnTrial {
		return last.failed(), nil // It may be what ended the container.
	}
	return last.history, nil
}

func (s *store) setHistory(h history) error {
	text, err := json.Marshal(noted{history: h, Image: s.image})
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, historyName)
	if err := os.WriteFile(path+".next", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".next", path)
}

// open puts the executable of the image into the store, in place of another
// image's, and removes what arrived in part.
func (s *store) open(program string) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	if s.image, err = wire.DigestFile(program); err != nil {
		return err
	}
	have, err := s.list()
	if err != nil {
		return err
	}
	for _, d := range have {
		if _, err := os.Readlink(s.path(d)); d != s.image && err != nil {
			continue // It was sent.
		}
		if err := os.Remove(s.path(d)); err != nil {
			return err
		}
	}
	partial, err := filepath.Glob(filepath.Join(s.dir, incoming))
	if err != nil {
		return err
	}
	for _, path := range partial {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return os.Symlink(program, s.path(s.image))
}

// imageOf returns which of the executables is the image's, to which there is a link.
func (s *store) imageOf(have []wire.Digest) wire.Digest {
	for _, d := range have {
		if _, err := os.Readlink(s.path(d)); err == nil {
			return d
		}
	}
	return ""
}

// isNew reports whether nothing was noted down yet.
func (s *store) isNew() bool {
	_, err := os.Stat(filepath.Join(s.dir, historyName))
	return errors.Is(err, fs.ErrNotExist)
}

// list returns the executables, the newest first.
func (s *store) list() ([]wire.Digest, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	added := map[wire.Digest]time.Time{}
	for _, entry := range entries {
		info, err := entry.Info()
		if d := wire.Digest(entry.Name()); err == nil && d.Valid() {
			added[d] = info.ModTime()
		}
	}
	return slices.SortedFunc(maps.Keys(added), func(a, b wire.Digest) int { return added[b].Compare(added[a]) }), nil
}

// add writes an executable of a size in bytes under its digest, all or nothing.
func (s *store) add(d wire.Digest, size int64, r io.Reader) (err error) {
	file, err := os.CreateTemp(s.dir, incoming)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // In vain once it has been renamed.
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(r, size+1))
	err = errors.Join(err, file.Chmod(0o755), file.Close())
	switch {
	case err != nil:
		return err
	case n != size:
		return fmt.Errorf("it has %d bytes, expected %d", n, size)
	case wire.DigestOf(hash) != d:
		return errors.New("it does not have the digest that was announced")
	}
	return os.Rename(file.Name(), s.path(d))
}

// has reports whether an executable is there.
func (s *store) has(d wire.Digest) bool {
	_, err := os.Stat(s.path(d))
	return err == nil
}

// prune removes the executables of other builds, but for the image's.
func (s *store) prune(builds ...wire.Build) error {
	have, err := s.list()
	if err != nil {
		return err
	}
	for _, d := range have {
		if d == s.image || slices.ContainsFunc(builds, func(b wire.Build) bool { return d == b.Executable || d == b.Debugger }) {
			continue
		}
		if err := os.Remove(s.path(d)); err != nil {
			return err
		}
	}
	return nil
}
