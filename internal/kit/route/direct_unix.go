//go:build unix

package route

import "syscall"

// hasNews reports whether there is something to read, or the end.
func (u *upstream) hasNews() bool {
	raw, err := u.SyscallConn()
	if err != nil {
		return true
	}
	news := true
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		news = err != syscall.EAGAIN && err != syscall.EWOULDBLOCK
		return true
	})
	return err != nil || news
}
