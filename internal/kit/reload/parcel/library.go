package parcel

import (
	"cmp"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
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
type Library struct {
	dir string // "" if it cannot be used

	mu    sync.Mutex
	ahead map[wire.Digest][]byte // what was read before it is needed
}

// UserLibrary returns the library of a program in the cache directory of the user.
func UserLibrary(program string) *Library {
	cache, err := os.UserCacheDir()
	if err != nil {
		return &Library{}
	}
	return NewLibrary(filepath.Join(cache, "ko", "reload", url.PathEscape(program)))
}

// NewLibrary returns the library in a directory, which need not exist.
func NewLibrary(dir string) *Library {
	return &Library{dir: dir, ahead: map[wire.Digest][]byte{}}
}

// ReadAhead reads the newest of the executables that a pod has, as the next one most
// likely differs from that. It saves time while the next one is still compiled.
func (l *Library) ReadAhead(have []wire.Digest) {
	if len(have) > 0 {
		l.read(have[0])
	}
}

// read returns an executable, nil if it is not here or damaged.
func (l *Library) read(digest wire.Digest) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dir == "" || !digest.Valid() {
		return nil
	}
	if executable := l.ahead[digest]; executable != nil {
		return executable
	}
	executable, err := os.ReadFile(l.path(digest))
	if err != nil || wire.DigestBytes(executable) != digest {
		return nil
	}
	l.ahead[digest] = executable
	return executable
}

// Keep adds an executable, and removes those that have not been used for longest.
func (l *Library) Keep(executable []byte) error {
	if l.dir == "" {
		return nil
	}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return err
	}
	// Under its name it is there as a whole or not at all: others read it.
	file, err := os.CreateTemp(l.dir, incoming)
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
func (l *Library) nearest(digests []wire.Digest, size int64) (wire.Digest, []byte) {
	var found []fs.FileInfo
	for _, digest := range digests {
		if info, err := os.Stat(l.path(digest)); l.dir != "" && digest.Valid() && err == nil {
			found = append(found, info)
		}
	}
	distance := func(info fs.FileInfo) int64 { return max(info.Size()-size, size-info.Size()) }
	slices.SortStableFunc(found, func(a, b fs.FileInfo) int { return cmp.Compare(distance(a), distance(b)) })
	for _, info := range found {
		digest := wire.Digest(info.Name())
		if executable := l.read(digest); executable != nil {
			now := time.Now()
			os.Chtimes(l.path(digest), now, now) // Else it goes a little earlier.
			return digest, executable
		}
	}
	return "", nil
}

func (l *Library) path(d wire.Digest) string { return filepath.Join(l.dir, string(d)) }

// tidy leaves the newest files.
func (l *Library) tidy() error {
	entries, err := os.ReadDir(l.dir)
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
		if err := os.Remove(filepath.Join(l.dir, file.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
