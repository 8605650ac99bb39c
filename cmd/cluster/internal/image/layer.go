// Package image makes container images out of files on this machine: nothing is pulled.
package image

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Entry is a file, directory or symbolic link of a layer.
type Entry struct {
	// Name is the path in the image, without a leading slash.
	Name string
	// Mode is the type and the permission bits, with those of Unix (fs.ModeSticky, …).
	Mode fs.FileMode
	// Link is where a symbolic link leads.
	Link string
	// Content is what a regular file holds, unless Source names a file on this machine that does.
	Content []byte
	Source  string
	// Owner is the user and the group it belongs to.
	Owner int
}

// Directory, Symlink, Text and Program are the usual entries; they belong to root.
func Directory(name string, mode fs.FileMode) Entry {
	return Entry{Name: name, Mode: fs.ModeDir | mode}
}

// Symlink is a symbolic link to target.
func Symlink(name, target string) Entry {
	return Entry{Name: name, Mode: fs.ModeSymlink | 0o777, Link: target}
}

// Text is a regular file that everybody may read.
func Text(name, content string) Entry {
	return Entry{Name: name, Mode: 0o644, Content: []byte(content)}
}

// Program is a copy of the executable source.
func Program(name, source string) Entry { return Entry{Name: name, Mode: 0o755, Source: source} }

// Tree returns the entries of everything below root, all of it belonging to root.
func Tree(root string) (entries []Entry, err error) {
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		entry := Entry{Name: strings.TrimPrefix(path, root+"/"), Mode: info.Mode()}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			entry.Link, err = os.Readlink(path)
		case info.Mode().IsRegular():
			entry.Source = path
		}
		entries = append(entries, entry)
		return err
	})
	return entries, err
}

// WriteLayer writes a layer with the entries to path, as a gzipped tar archive. The same
// entries give the same bytes: names are sorted and no time is recorded.
func WriteLayer(path string, entries []Entry) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".layer-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing the layer %s: %w", path, err), file.Close(), os.Remove(file.Name()))
		}
	}()
	compressed, err := gzip.NewWriterLevel(file, gzip.BestSpeed) // it travels no further than loopback
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	sorted := slices.SortedStableFunc(slices.Values(entries), func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	for _, entry := range sorted {
		if err := entry.write(archive); err != nil {
			return fmt.Errorf("%s: %w", entry.Name, err)
		}
	}
	for _, closer := range []io.Closer{archive, compressed} {
		if err := closer.Close(); err != nil {
			return err
		}
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return file.Close()
}

func (e Entry) write(archive *tar.Writer) error {
	header := &tar.Header{
		Name:    e.Name,
		Mode:    unixMode(e.Mode),
		Uid:     e.Owner,
		Gid:     e.Owner,
		ModTime: time.Unix(0, 0),
		Format:  tar.FormatPAX,
	}
	switch {
	case e.Mode.IsDir():
		header.Typeflag = tar.TypeDir
		header.Name += "/"
		return archive.WriteHeader(header)
	case e.Mode&fs.ModeSymlink != 0:
		header.Typeflag = tar.TypeSymlink
		header.Linkname = e.Link
		return archive.WriteHeader(header)
	case !e.Mode.IsRegular():
		return fmt.Errorf("a %v has no place in a layer", e.Mode.Type())
	}
	content, size, err := e.open()
	if err != nil {
		return err
	}
	header.Typeflag = tar.TypeReg
	header.Size = size
	if err := archive.WriteHeader(header); err != nil {
		return errors.Join(err, content.Close())
	}
	_, err = io.Copy(archive, content)
	return errors.Join(err, content.Close())
}

func (e Entry) open() (io.ReadCloser, int64, error) {
	if e.Source == "" {
		return io.NopCloser(bytes.NewReader(e.Content)), int64(len(e.Content)), nil
	}
	file, err := os.Open(e.Source)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// unixMode returns the permission bits as chmod(2) numbers them.
func unixMode(mode fs.FileMode) int64 {
	bits := int64(mode.Perm())
	for flag, bit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}
