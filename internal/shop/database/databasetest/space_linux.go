package databasetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// SmallDisk returns a directory of PostgreSQL's user on a file system of 512 KiB.
// Only root can mount one; the test is skipped for others.
func SmallDisk(t *testing.T) string {
	t.Helper()
	uid, gid, err := account()
	if err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "small-disk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	options := fmt.Sprintf("size=512k,mode=0700,uid=%d,gid=%d", uid, gid)
	if err := syscall.Mount("none", dir, "tmpfs", 0, options); err != nil {
		t.Skip("cannot mount a small file system: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error("unmount ", dir, ": ", err)
		}
	})
	return dir
}

// Fill takes what space the file system of a directory has left, until the
// function it returns is called.
func Fill(t *testing.T, dir string) (release func()) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 4<<10); err == nil; {
		_, err = file.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(file.Name()); err != nil {
			t.Error(err)
		}
	}
}
