//go:build unix

package compile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/ko/pkg/commands/options"
)

// slowGo puts a go tool in place that starts a compiler and waits for it
// forever; the ids of both appear in the file that is returned.
func slowGo(t *testing.T) (pids string) {
	t.Helper()
	dir := t.TempDir()
	pids = filepath.Join(dir, "pids")
	script := "#!/bin/sh\nsleep 3600 &\necho $$ $! >" + pids + ".new\nmv " + pids + ".new " + pids + "\nwait\n"
	tool := filepath.Join(dir, "go")
	writeFile(t, tool, script)
	if err := os.Chmod(tool, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KO_GO_PATH", tool)
	return pids
}

// eventually waits for a condition, for as long as a loaded machine may take.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// readPids waits for the ids that slowGo writes.
func readPids(t *testing.T, file string) []int {
	t.Helper()
	var pids []int
	eventually(t, "the go tool starts", func() bool {
		text, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		return true
	})
	return pids
}

// ended reports whether a process is gone, or dead and waiting for its parent.
func ended(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestCancellingKillsTheGoToolAndItsCompilers(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	dir := write(t, hello())
	c := newCompiler(t, options.BuildOptions{})
	file := slowGo(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("saved again")
	result := make(chan error)
	go func() { result <- c.Compile(ctx, helloPath, filepath.Join(dir, "out")) }()
	pids := readPids(t, file)
	cancel(stop)
	if err := <-result; !errors.Is(err, stop) {
		t.Errorf("got error %v, want %v", err, stop)
	}
	for _, pid := range pids {
		eventually(t, "a process ends", func() bool { return ended(pid) })
	}
}
