//go:build unix

package live

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
)

// store is a directory that outlives the container but not the pod, such as an
// emptyDir. It holds the executables that were sent, by digest; under its digest
// a link to the image's; and the plan for the next start.
type store struct {
	dir   string
	image Digest // of the executable in the image
}

// plan is what runs, and what runs next if that is broken.
type plan struct {
	Current version `json:"current"`
	OnTrial bool    `json:"onTrial,omitempty"` // it has not run long enough yet
	// Before ran before, for a moment at least.
	Before version `json:"before"`
	// Proved is the last one that has run long enough.
	Proved version `json:"proved"`
}

// tries returns the plan that puts another version on trial.
func (p plan) tries(next version) plan {
	return plan{Current: next, OnTrial: true, Before: p.Current, Proved: p.Proved}
}

// proved returns the plan once the trial is over.
func (p plan) proved() plan { return plan{Current: p.Current, Before: p.Current, Proved: p.Current} }

// failed returns the plan once a version on trial has ended. The one before it goes
// on with its own trial, so that of several bad ones in a row none remains.
func (p plan) failed() plan {
	return plan{Current: p.Before, OnTrial: p.Before != p.Proved, Before: p.Proved, Proved: p.Proved}
}

// planName is the file that holds the plan.
const planName = "plan"

// noted is what is in that file.
type noted struct {
	plan
	Image Digest `json:"image"` // the image's executable at that time
}

func (s *store) path(d Digest) string { return filepath.Join(s.dir, string(d)) }

// plan returns the plan that was noted down last. It is that of an empty store
// if the image's executable has changed since, which is newer then.
func (s *store) plan() (plan, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, planName))
	if errors.Is(err, fs.ErrNotExist) {
		return plan{}, nil
	}
	var last noted
	if err == nil {
		err = json.Unmarshal(text, &last)
	}
	if err != nil {
		return plan{}, fmt.Errorf("reading what ran before: %w", err)
	}
	if last.Image != s.image {
		return plan{}, nil
	}
	if last.OnTrial {
		return last.failed(), nil // It may be what ended the container.
	}
	return last.plan, nil
}

func (s *store) setPlan(p plan) error {
	text, err := json.Marshal(noted{plan: p, Image: s.image})
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, planName)
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
	if s.image, err = DigestFile(program); err != nil {
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

// list returns the executables, the newest first.
func (s *store) list() ([]Digest, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	added := map[Digest]time.Time{}
	for _, entry := range entries {
		info, err := entry.Info()
		if d := Digest(entry.Name()); err == nil && d.Valid() {
			added[d] = info.ModTime()
		}
	}
	return slices.SortedFunc(maps.Keys(added), func(a, b Digest) int { return added[b].Compare(added[a]) }), nil
}

// add writes an executable of a size in bytes under its digest, all or nothing.
func (s *store) add(d Digest, size int64, r io.Reader) (err error) {
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
	case digestOf(hash) != d:
		return errors.New("it does not have the digest that was announced")
	}
	return os.Rename(file.Name(), s.path(d))
}

// check returns an error unless an executable is there.
func (s *store) check(d Digest) error {
	_, err := os.Stat(s.path(d))
	return err
}

// prune removes the executables of other versions, but for the image's.
func (s *store) prune(versions ...version) error {
	have, err := s.list()
	if err != nil {
		return err
	}
	for _, d := range have {
		if d == s.image || slices.ContainsFunc(versions, func(v version) bool { return d == v.Executable || d == v.Debugger }) {
			continue
		}
		if err := os.Remove(s.path(d)); err != nil {
			return err
		}
	}
	return nil
}
