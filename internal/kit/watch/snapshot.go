package watch

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// settleTime is how long the content of a file is compared after a change was
	// seen: a file system may count time in steps of two seconds, as FAT does, so
	// that one more change of the same size has the same time.
	settleTime = 3 * time.Second
	// maxCompared bounds the content that is compared, in bytes.
	maxCompared = 4 << 20
)

// snapshot is what was seen of a directory; nil if it was not there.
type snapshot map[string]file

// file is what was seen of an entry of a directory.
type file struct {
	kind     fs.FileMode // its type; that of what a link leads to
	link     string      // where a link leads
	size     int64
	modified time.Time
	changed  time.Time
	// digest is that of the content until a time, the zero value where it was not
	// compared.
	digest  [sha256.Size]byte
	settled time.Time
}

// look takes a snapshot of a directory, now. Before, which may be nil, tells whose
// content has to be compared.
func look(dir string, before snapshot, now time.Time) (snapshot, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := make(snapshot, len(entries))
	for _, entry := range entries {
		f, err := lookAt(filepath.Join(dir, entry.Name()), entry)
		if errors.Is(err, fs.ErrNotExist) {
			continue // It has been removed since.
		}
		if err != nil {
			return nil, err
		}
		known, isKnown := before[entry.Name()]
		switch {
		case isKnown && f.looksLike(known):
			f.settled = known.settled
		case isKnown || before != nil || now.Sub(f.modified).Abs() < settleTime:
			f.settled = now.Add(settleTime)
		}
		if f.kind.IsRegular() && f.size <= maxCompared && now.Before(f.settled) {
			f.digest = contentOf(filepath.Join(dir, entry.Name()))
		}
		found[entry.Name()] = f
	}
	return found, nil
}

// lookAt follows a link, unless it leads nowhere.
func lookAt(path string, entry fs.DirEntry) (f file, err error) {
	var info fs.FileInfo
	if entry.Type()&fs.ModeSymlink != 0 {
		f.link, _ = os.Readlink(path)
		info, err = os.Stat(path)
	}
	if info == nil {
		info, err = entry.Info()
	}
	if err != nil {
		return f, err
	}
	if f.kind = info.Mode().Type(); f.kind.IsDir() {
		return f, nil // Its own changes are those of what is in it.
	}
	f.size, f.modified, f.changed = info.Size(), info.ModTime(), changeTime(info)
	return f, nil
}

// looksLike reports whether nothing but the content may be different.
func (f file) looksLike(other file) bool { return !f.saved(other) && f.changed.Equal(other.changed) }

// saved reports whether a file was written, or is another one than before.
func (f file) saved(before file) bool {
	return f.kind != before.kind || f.link != before.link || f.size != before.size || !f.modified.Equal(before.modified)
}

// differs reports whether a file has changed. Where nothing shows that it was
// saved, the content decides, if it is known from before: a change of permissions
// is none.
func (f file) differs(before file) bool {
	none := [sha256.Size]byte{}
	if !f.saved(before) && f.digest != none && before.digest != none {
		return f.digest != before.digest
	}
	return !f.looksLike(before)
}

// contentOf returns the digest of a file, the zero value if it cannot be read.
func contentOf(path string) (digest [sha256.Size]byte) {
	content, err := os.Open(path)
	if err != nil {
		return digest
	}
	defer content.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, content); err == nil {
		sum.Sum(digest[:0])
	}
	return digest
}

// since returns the paths that have changed in a directory: the directory itself
// if it has appeared or is gone.
func (s snapshot) since(before snapshot, dir string) []string {
	if (s == nil) != (before == nil) {
		return []string{dir}
	}
	var paths []string
	for name, f := range s {
		if old, found := before[name]; !found || f.differs(old) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	for name := range before {
		if _, found := s[name]; !found {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}
