// Package usercache keeps what the kit has worked out before, in the cache directory of
// the user. All of it may be removed at any time: it is worked out again then.
package usercache

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// Directory is the path of a directory with files of one kind, which need not exist. It
// may be used concurrently, also by several processes. "" keeps nothing.
type Directory string

// Of returns the directory for a kind of files. It keeps nothing if the user has no cache
// directory.
func Of(kind string) Directory {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return Directory(filepath.Join(cache, "ko", kind))
}

// Read returns the content of a file, or nil if it cannot be read.
func (d Directory) Read(name string) []byte {
	if d == "" {
		return nil
	}
	content, err := os.ReadFile(filepath.Join(string(d), name))
	if err != nil {
		return nil
	}
	return content
}

// Write writes a file, whole or not at all. Other users cannot read it.
func (d Directory) Write(name string, content []byte) error {
	if d == "" {
		return nil
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(string(d), ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(string(d), name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// tooOld is how long a file is kept that is not written again.
const tooOld = 90 * 24 * time.Hour

// RemoveOld removes files that were written 90 days ago or earlier, such as those about
// directories that are gone. What cannot be removed stays.
func (d Directory) RemoveOld() {
	if d == "" {
		return
	}
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > tooOld {
			_ = os.Remove(filepath.Join(string(d), entry.Name()))
		}
	}
}
