package pod

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// layout is what a pod needs on disk. Its parts are made in this order.
type layout struct {
	volumes []volume
	mounts  []mount
	dirs    []workingDir
}

// volume is a directory and the files that it holds at first.
type volume struct {
	about  string // for errors
	dir    string
	mode   fs.FileMode
	files  []file
	ofHost bool // a path of this machine, which must be there
}

// mount is a link to a volume, or to what is at sub in it.
type mount struct {
	about          string // for errors
	dir, sub, link string
}

// workingDir is the directory that a container starts in.
type workingDir struct{ about, dir string }

// file is one of a volume, at a path relative to it, with slashes.
type file struct {
	path string
	data []byte
	mode fs.FileMode
}

func (l *layout) make() error {
	for _, v := range l.volumes {
		if err := v.make(); err != nil {
			return fmt.Errorf("%s: %w", v.about, err)
		}
	}
	for _, m := range l.mounts {
		if err := m.make(); err != nil {
			return fmt.Errorf("%s: %w", m.about, err)
		}
	}
	for _, d := range l.dirs {
		if err := os.MkdirAll(d.dir, 0o755); err != nil {
			return fmt.Errorf("%s: %w", d.about, err)
		}
	}
	return nil
}

func (v volume) make() error {
	if v.ofHost {
		if _, err := os.Stat(v.dir); err != nil {
			return fmt.Errorf("hostPath %s is a node's: %w; create it here, or patch the volume to be an emptyDir", v.dir, err)
		}
		return nil
	}
	if err := os.MkdirAll(v.dir, v.mode); err != nil {
		return fmt.Errorf("making its directory: %w", err)
	}
	if len(v.files) == 0 {
		return nil
	}
	root, err := os.OpenRoot(v.dir)
	if err != nil {
		return fmt.Errorf("opening its directory: %w", err)
	}
	for _, f := range v.files {
		if err = f.write(root, v.mode); err != nil {
			break
		}
	}
	return errors.Join(err, root.Close())
}

// write writes the file, which stays within root.
func (f file) write(root *os.Root, dirMode fs.FileMode) error {
	path := filepath.FromSlash(f.path)
	if err := root.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return fmt.Errorf("making the directory of %s: %w", f.path, err)
	}
	if err := root.WriteFile(path, f.data, f.mode); err != nil {
		return fmt.Errorf("writing %s: %w", f.path, err)
	}
	return nil
}

func (m mount) make() error {
	if err := m.makeSub(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.link), 0o755); err != nil {
		return fmt.Errorf("making the directory above it: %w", err)
	}
	if err := makeRoom(m.link); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(m.dir, filepath.FromSlash(m.sub)), m.link); err != nil {
		return fmt.Errorf("linking it: %w", err)
	}
	return nil
}

// makeSub makes a directory of the subPath if there is nothing.
func (m mount) makeSub() error {
	if m.sub == "" {
		return nil
	}
	root, err := os.OpenRoot(m.dir)
	if err != nil {
		return fmt.Errorf("opening the volume: %w", err)
	}
	local := filepath.FromSlash(m.sub)
	if _, err = root.Stat(local); errors.Is(err, fs.ErrNotExist) {
		err = root.MkdirAll(local, 0o755)
	}
	if err != nil {
		err = fmt.Errorf("subPath %s: %w", m.sub, err)
	}
	return errors.Join(err, root.Close())
}

// makeRoom removes the link, or the empty directory, of an earlier pod: a
// mount below a persistent volume leaves one there. It spares files.
func makeRoom(at string) error {
	info, err := os.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().IsRegular() {
		return fmt.Errorf("the file %s is in its place: move it away", at)
	}
	if err = errors.Join(err, os.Remove(at)); err != nil {
		return fmt.Errorf("making room for it: %w", err)
	}
	return nil
}
