package engine

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/koshop/koshop/internal/kit/bind"
)

// open lets the container's user in, whose number is not ours as a rule. On this
// machine the directories above keep others out. What is in a volume already
// stays as the container made it.
func open(m bind.Mount) error {
	switch m.Source {
	case bind.Files:
		return filepath.WalkDir(m.Here, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Type()&fs.ModeSymlink != 0 {
				return err
			}
			return allow(path, 0o444, 0o555)
		})
	case bind.Volume:
		entries, err := os.ReadDir(m.Here)
		if err != nil || len(entries) > 0 {
			return err
		}
		return os.Chmod(m.Here, 0o777)
	}
	return nil
}

// allow adds permissions to a file or directory.
func allow(path string, file, dir fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	mode := info.Mode().Perm() | file
	if info.IsDir() || info.Mode()&0o100 != 0 {
		mode |= dir
	}
	if mode == info.Mode().Perm() {
		return nil
	}
	return os.Chmod(path, mode)
}
