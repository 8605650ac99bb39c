//go:build unix

package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/route"
)

// debugged runs a program under Delve, which begins at once and waits for
// editors, one after the other, behind the port-forward that they come through.
// It stays when the program ends, so that one can look why. A SIGTERM ends both.
// Whoever may forward ports into the pod may use it: such a connection comes from
// another user than the pod's.
func debugged(debugger, program string, args []string) *exec.Cmd {
	listen := "--listen=" + route.Loopback(wire.DebugPort)
	return exec.Command(debugger, slices.Concat(
		[]string{"exec", program, "--headless", "--api-version=2", "--accept-multiclient", "--continue", "--only-same-user=false", listen, "--"}, args)...)
}

// debugs fails if the program of a debugger has ended: the debugger stays.
func (i *instance) debugs() error {
	if childless(i.process.Pid) {
		return fmt.Errorf("%s ended at once%s", i.build, i.said())
	}
	return nil
}

// childless reports that a process has no children, as far as the system tells.
func childless(parent int) bool {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return false
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // It has ended meanwhile.
		}
		// Behind the name, which is in brackets, follow the state and the parent.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[0] != "Z" && fields[1] == strconv.Itoa(parent) {
			return false
		}
	}
	return true
}
