package environment

import (
	"fmt"
	"syscall"
)

// memory returns the bytes of this machine's memory.
func memory() (int64, error) {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0, fmt.Errorf("asking how much memory this machine has: %w", err)
	}
	return int64(info.Totalram) * int64(info.Unit), nil
}
