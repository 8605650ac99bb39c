package environment

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// memory returns the bytes of this machine's memory.
func memory() (int64, error) {
	bytes, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0, fmt.Errorf("asking how much memory this machine has: %w", err)
	}
	return int64(bytes), nil
}
