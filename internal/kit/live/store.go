//go:build unix

package live

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// store is a directory that outlives the container but not the pod, such as an
// emptyDir. It holds the executables that were sent, by digest, and a symbolic
// link to the one to start with.
type store struct {
	dir   string
	image Digest // of the executable in the image
}

const (
	currentName = "current" // link to the executable to start with
	imageName   = "image"   // digest of the image's executable when that was sent
)

func (s *store) path(d Digest) string { return filepath.Join(s.dir, string(d)) }

// current returns the executable that the container starts with: the newest
// that was sent, unless the image's own has changed since, which is newer then.
// It is "" for the image's.
func (s *store) current() (Digest, error) {
	image, err := os.ReadFile(filepath.Join(s.dir, imageName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if Digest(image) != s.image {
		return "", s.setCurrent("")
	}
	target, err := os.Readlink(filepath.Join(s.dir, currentName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return Digest(target), err
}

// setCurrent makes the next start of the container begin with d, which is "" for
// the image's executable.
func (s *store) setCurrent(d Digest) error {
	link := filepath.Join(s.dir, currentName)
	if d == "" {
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.WriteFile(filepath.Join(s.dir, imageName), []byte(s.image), 0o644); err != nil {
		return err
	}
	next := link + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(string(d), next); err != nil {
		return err
	}
	return os.Rename(next, link)
}

// prune removes the executables that are not kept.
func (s *store) prune(keep ...Digest) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		d := Digest(entry.Name())
		if !d.Valid() || slices.Contains(keep, d) {
			continue
		}
		if err := os.Remove(s.path(d)); err != nil {
			return err
		}
	}
	return nil
}
