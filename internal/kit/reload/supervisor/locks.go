//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// lock returns a file that an instance holds locked for writing, as an obstacle: a
// database, say, that no other process may open. It is nil if there is none, as far as
// the system tells (https://man7.org/linux/man-pages/man5/proc_pid_fdinfo.5.html).
func (i *instance) lock() *obstacle {
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", i.process.Pid))
	if err != nil {
		return nil
	}
	for _, path := range infos {
		text, err := os.ReadFile(path)
		if err != nil || !holdsLock(string(text)) {
			continue
		}
		name, err := os.Readlink(filepath.Join(filepath.Dir(filepath.Dir(path)), "fd", filepath.Base(path)))
		if err != nil {
			continue
		}
		return &obstacle{why: "it holds a lock on " + name}
	}
	return nil
}

// holdsLock tells the lines of a file's locks for writing, as in
// "lock:	1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF". Those for reading are
// shared.
func holdsLock(info string) bool {
	for line := range strings.Lines(info) {
		if strings.HasPrefix(line, "lock:") && strings.Contains(line, " WRITE ") {
			return true
		}
	}
	return false
}
