package parcel

import (
	"cmp"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// incoming is the pattern of the names of executables that are being written.
const incoming = "incoming-*"

// shelf is how many executables a library keeps.
const shelf = 8

// Library is a directory of the developer's machine with executables of one
// program that pods may have, by digest. It may be emptied at any time, and one
// that cannot be used keeps nothing: then more crosses to the pods than need be.
type Library string

// UserLibrary returns the library of a program in the cache directory of the user.
func UserLibrary(program string) Library {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return Library(filepath.Join(cache, "ko", "reload", url.PathEscape(program)))
}

// Keep adds an executable, and removes those that have not been used for longest.
func (l Library) Keep(executable []byte) error {
	if l == "" {
		return nil
	}
	if err := os.MkdirAll(string(l), 0o755); err != nil {
		return err
	}
	// Under its name it is there as a whole or not at all: others read it.
	file, err := os.CreateTemp(string(l), incoming)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(executable)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(file.Name(), l.path(wire.DigestBytes(executable))), l.tidy())
}

// nearest returns the one of the executables that are here whose size is nearest:
// it is most likely of the same kind. It is "" if none is here.
func (l Library) nearest(digests []wire.Digest, size int64) (wire.Digest, []byte) {
	var found []fs.FileInfo
	for _, digest := range digests {
		if info, err := os.Stat(l.path(digest)); l != "" && digest.Valid() && err == nil {
			found = append(found, info)
		}
	}
	distance := func(info fs.FileInfo) int64 { return max(info.Size()-size, size-info.Size()) }
	slices.SortStableFunc(found, func(a, b fs.FileInfo) int { return cmp.Compare(distance(a), distance(b)) })
	for _, info := range found {
		digest := wire.Digest(info.Name())
		executable, err := os.ReadFile(l.path(digest))
		if err == nil && wire.DigestBytes(executable) == digest {
			now := time.Now()
			os.Chtimes(l.path(digest), now, now) // Else it goes a little earlier.
			return digest, executable
		}
	}
	return "", nil
}

func (l Library) path(d wire.Digest) string { return filepath.Join(string(l), string(d)) }

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
