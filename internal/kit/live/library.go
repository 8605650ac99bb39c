package live

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// shelf is how many executables a library keeps.
const shelf = 16

// Library is a directory of the developer's machine with executables that pods
// may have, by digest. It may be emptied at any time.
type Library string

// UserLibrary returns the library in the cache directory of the user.
func UserLibrary() (Library, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("looking for a directory to keep executables in: %w", err)
	}
	return Library(filepath.Join(cache, "ko", "reload")), nil
}

// Keep adds an executable, and removes those that have not been used for longest.
func (l Library) Keep(executable []byte) (Digest, error) {
	hash := sha256.New()
	hash.Write(executable)
	digest := digestOf(hash)
	if err := os.MkdirAll(string(l), 0o755); err != nil {
		return "", err
	}
	// Under its name it is there as a whole or not at all: others read it.
	file, err := os.CreateTemp(string(l), "incoming-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(executable)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	return digest, errors.Join(os.Rename(file.Name(), l.path(digest)), l.tidy())
}

// oneOf returns the first of the executables that is here.
func (l Library) oneOf(digests []Digest) (Digest, []byte, error) {
	for _, digest := range digests {
		if !digest.Valid() {
			continue
		}
		executable, err := os.ReadFile(l.path(digest))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		hash := sha256.New()
		hash.Write(executable)
		if digestOf(hash) == digest {
			return digest, executable, nil
		}
	}
	return "", nil, nil
}

func (l Library) path(d Digest) string { return filepath.Join(string(l), string(d)) }

// tidy leaves the newest files.
func (l Library) tidy() error {
	entries, err := os.ReadDir(string(l))
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, file := range files[min(shelf, len(files)):] {
		if err := os.Remove(filepath.Join(string(l), file.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
