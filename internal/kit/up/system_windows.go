package up

import "os"

// alive tells whether there is a process of this id.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	p.Release()
	return true
}

// groupOf returns the process itself: there are no process groups here.
func groupOf(pid int) int { return pid }

// exe is how the name of an executable ends.
const exe = ".exe"
