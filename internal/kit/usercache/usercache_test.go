package usercache_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/usercache"
)

// What was written last is read, other users cannot read it, and what is old goes.
func TestDirectory(t *testing.T) {
	d := usercache.Directory(filepath.Join(t.TempDir(), "a", "b"))
	if got := d.Read("x"); got != nil {
		t.Errorf("before it is written, it is %q", got)
	}
	for _, content := range []string{"one", "two"} {
		if err := d.Write("x", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got := d.Read("x"); string(got) != content {
			t.Errorf("it is %q, want %q", got, content)
		}
	}
	info, err := os.Stat(filepath.Join(string(d), "x"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v (error %v)", info.Mode(), err)
	}
	old := filepath.Join(string(d), "old")
	past := time.Now().AddDate(0, 0, -100)
	if err := errors.Join(os.WriteFile(old, nil, 0o600), os.Chtimes(old, past, past)); err != nil {
		t.Fatal(err)
	}
	d.RemoveOld()
	if files, err := os.ReadDir(string(d)); err != nil || len(files) != 1 || files[0].Name() != "x" {
		t.Errorf("the directory has %v (error %v)", files, err)
	}
}

// Without a directory, nothing is kept, and nothing fails.
func TestNoDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	var d usercache.Directory
	if err := d.Write("x", []byte("one")); err != nil || d.Read("x") != nil {
		t.Errorf("it keeps %q (error %v)", d.Read("x"), err)
	}
	d.RemoveOld()
	if files, err := os.ReadDir("."); err != nil || len(files) != 0 {
		t.Errorf("the working directory has %v (error %v)", files, err)
	}
}

// A file that cannot be written is an error, and leaves nothing.
func TestDirectoryThatCannotBe(t *testing.T) {
	parent := t.TempDir()
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := usercache.Directory(file).Write("x", nil); err == nil {
		t.Error("a file below a file was written")
	}
	if err := usercache.Directory(parent).Write("none/x", []byte("one")); err == nil {
		t.Error("a file in a directory that is missing was written")
	}
	if files, err := os.ReadDir(parent); err != nil || len(files) != 1 {
		t.Errorf("the directory has %v (error %v)", files, err)
	}
}
