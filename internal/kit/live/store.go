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
// a link to the image's; and the name of the version to start with.
type store struct {
	dir   string
	image Digest // of the executable in the image
}

// currentName is the file that names the version to start with.
const currentName = "current"

// state is what that file holds.
type state struct {
	version
	Image Digest `json:"image"` // the image's executable when the version was sent
}

func (s *store) path(d Digest) string { return filepath.Join(s.dir, string(d)) }

// current returns the version that the container starts with: the newest that
// was sent, unless the image's own has changed since, which is newer then.
func (s *store) current() (version, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, currentName))
	if errors.Is(err, fs.ErrNotExist) {
		return version{}, nil
	}
	var current state
	if err == nil {
		err = json.Unmarshal(text, &current)
	}
	if err != nil || current.Image != s.image || !current.valid() {
		return version{}, err
	}
	return current.version, nil
}

// setCurrent makes the next start of the container begin with a version.
func (s *store) setCurrent(v version) error {
	text, err := json.Marshal(state{version: v, Image: s.image})
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, currentName)
	if err := os.WriteFile(path+".next", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".next", path)
}

// open puts the executable of the image into the store, in place of another
// image's.
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
	file, err := os.CreateTemp(s.dir, "incoming-*")
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

// prune removes the executables that are not kept, but for the image's.
func (s *store) prune(keep ...Digest) error {
	have, err := s.list()
	if err != nil {
		return err
	}
	for _, d := range have {
		if d == s.image || slices.Contains(keep, d) {
			continue
		}
		if err := os.Remove(s.path(d)); err != nil {
			return err
		}
	}
	return nil
}
