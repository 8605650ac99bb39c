package host

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestPruneEmptyKeepsWhatHoldsAFile(t *testing.T) {
	top := filepath.Join(t.TempDir(), "top")
	for _, dir := range []string{"a/b/c", "kept/x"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(top, "kept", "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := PruneEmpty(top); err != nil {
		t.Fatal(err)
	}
	want := []string{file}
	got := Existing(filepath.Join(top, "a"), filepath.Join(top, "kept", "x"), file)
	if len(got) != 1 || got[0] != want[0] {
		t.Errorf("left %q, want %q", got, want)
	}

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := PruneEmpty(top); err != nil {
		t.Fatal(err)
	}
	if got := Existing(top); len(got) != 0 {
		t.Errorf("left %q", got)
	}
	if err := PruneEmpty(top); err != nil {
		t.Errorf("nothing there is no error: %v", err)
	}
}

func TestPruneEmptyKeepsMounts(t *testing.T) {
	top := t.TempDir()
	mounted, empty := filepath.Join(top, "mounted"), filepath.Join(top, "empty")
	for _, dir := range []string{mounted, empty} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount(mounted, mounted, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("no mount can be made: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mounted, 0); err != nil {
			t.Error(err)
		}
	})
	if err := PruneEmpty(top); err != nil {
		t.Fatal(err)
	}
	if left := Existing(mounted, empty); len(left) != 1 || left[0] != mounted {
		t.Errorf("left %q, want what is mounted", left)
	}
}
