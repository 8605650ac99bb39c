// Package host undoes what a Kubernetes node leaves on the machine it runs on: mounts,
// firewall rules, control groups, kernel settings, orphaned processes.
package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// UnmountBelow unmounts everything below dir, the innermost first, but not dir itself. A
// mount that is in use disappears from the tree now and is freed by the kernel with its last user.
func UnmountBelow(dir string) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var problems []error
	for _, target := range mountsBelow(dir, string(info)) {
		err := syscall.Unmount(target, syscall.MNT_DETACH)
		if err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOENT) { // gone with another one
			problems = append(problems, fmt.Errorf("unmounting %s: %w", target, err))
		}
	}
	return errors.Join(problems...)
}

// unescape undoes the octal escapes of /proc/self/mountinfo (proc(5)).
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// mountsBelow returns the mount points below dir, the latest mount first, as
// /proc/self/mountinfo has them in the order in which they were made.
func mountsBelow(dir, mountinfo string) (targets []string) {
	dir = filepath.Clean(dir)
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if target := unescape.Replace(fields[4]); strings.HasPrefix(target, dir+"/") {
			targets = append(targets, target)
		}
	}
	slices.Reverse(targets)
	return targets
}
