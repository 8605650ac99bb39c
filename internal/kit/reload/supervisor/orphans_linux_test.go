package supervisor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The first process of a container inherits orphans, and must wait for them.
func TestOrphansAreWaitedFor(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	if os.Getuid() != 0 {
		t.Skip("only root can make a process the first of a namespace")
	}
	p := newPodIn(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID})
	if out, err := p.send(p.build("one", "orphan")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.expect("one")
	time.Sleep(300 * time.Millisecond) // The orphan lives for 100.
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		if stat, err := os.ReadFile(path); err == nil && strings.Contains(string(stat), fmt.Sprintf(") Z %d ", p.cmd.Process.Pid)) {
			t.Errorf("nobody has waited for %s", stat)
		}
	}
}
