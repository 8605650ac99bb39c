//go:build !linux && !darwin

package route

// owner cannot tell here which program listens on a port.
func owner(int) (program string, process int) { return "", 0 }
