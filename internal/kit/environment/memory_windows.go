package environment

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

var installedMemory = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetPhysicallyInstalledSystemMemory")

// memory returns the bytes of this machine's memory.
func memory() (int64, error) {
	var kilobytes uint64
	if ok, _, err := installedMemory.Call(uintptr(unsafe.Pointer(&kilobytes))); ok == 0 {
		return 0, fmt.Errorf("asking how much memory this machine has: %w", err)
	}
	return int64(kilobytes) << 10, nil
}
