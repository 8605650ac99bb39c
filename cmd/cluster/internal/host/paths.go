package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// PruneEmpty removes dir and the directories below it as far as they are empty: whatever
// somebody has put there stays, and so does what somebody has mounted there, as
// `ip netns add` does at /run/netns.
func PruneEmpty(dir string) error {
	dirs, err := directories(dir)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			continue
		}
		if err := os.Remove(dir); err != nil && !errors.Is(err, syscall.EBUSY) {
			return err
		}
	}
	return nil
}

// directories returns top and the directories below it, children before their parents,
// and none if top is not there. One that goes away meanwhile is not missed.
func directories(top string) (dirs []string, err error) {
	err = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	slices.Reverse(dirs)
	return dirs, err
}

// Existing returns those of the paths that exist.
func Existing(paths ...string) (existing []string) {
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			existing = append(existing, path)
		}
	}
	return existing
}
