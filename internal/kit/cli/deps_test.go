package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Both names of a program have the same files, and the settings are those of its
// build configuration.
func TestDepsTakesEveryNameOfAProgram(t *testing.T) {
	t.Chdir(guestbook)
	want, _, err := ko(t, "deps", "./cmd/web")
	if err != nil || !strings.Contains(want, filepath.FromSlash("cmd/web")) {
		t.Fatalf("it printed %q, error %v", want, err)
	}
	for _, name := range []string{"example.com/guestbook/cmd/web", "ko://example.com/guestbook/cmd/web", "ko://./cmd/web"} {
		if got, _, err := ko(t, "deps", name); got != want || err != nil {
			t.Errorf("ko deps %s printed %q, want %q (error %v)", name, got, want, err)
		}
	}
}

// `ko deps X | head` ends ko by SIGPIPE; it leaves nothing behind all the same.
func TestDepsLeavesNothingWhenItsReaderStops(t *testing.T) {
	t.Chdir(guestbook)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	scratch := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "deps", "./cmd/web")
	cmd.Env = append(os.Environ(), asKo+"=1", "TMPDIR="+scratch)
	cmd.Stdout = write
	err = cmd.Run()
	write.Close()
	if err == nil {
		t.Error("it ended well, though nobody could read what it printed")
	}
	left, err := os.ReadDir(scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (error %v)", left, err)
	}
}
