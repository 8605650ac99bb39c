package supervisor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// descends reports whether a process has come from this one: it, its parent, or a parent of
// that.
func descends(process int) bool {
	for process != os.Getpid() {
		if process <= 1 {
			return false
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
		if err != nil {
			return false // It has ended meanwhile.
		}
		process = parentIn(string(status))
	}
	return true
}

// parentIn returns the id of the parent that a status in /proc names
// (https://man7.org/linux/man-pages/man5/proc_pid_status.5.html).
func parentIn(status string) int {
	_, after, _ := strings.Cut(status, "\nPPid:")
	line, _, _ := strings.Cut(after, "\n")
	parent, _ := strconv.Atoi(strings.TrimSpace(line)) // 0 where the parent is in another namespace.
	return parent
}
