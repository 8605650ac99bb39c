//go:build linux || darwin || freebsd || netbsd || openbsd

package cli

import (
	"context"
	"os"

	"golang.org/x/sys/unix"
)

// quitOnKey calls quit when q is typed on the terminal, if there is one, until
// ctx ends. The function that it returns restores the terminal; it must be
// called when ctx has ended.
func quitOnKey(ctx context.Context, terminal *os.File, quit func()) (restore func()) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil || !inForeground(fd) {
		return func() {}
	}
	keys := *before
	keys.Lflag &^= unix.ICANON | unix.ECHO // Keys come one by one; Ctrl-C is still a signal.
	keys.Cc[unix.VMIN], keys.Cc[unix.VTIME] = 0, 1
	if err := unix.IoctlSetTermios(fd, setTermios, &keys); err != nil {
		return func() {}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		readKeys(ctx, fd, quit)
	}()
	return func() {
		<-ended
		unix.IoctlSetTermios(fd, setTermios, before) // The terminal may be gone.
	}
}

// inForeground tells whether the terminal is ours to change: a background job
// that tries is stopped.
func inForeground(fd int) bool {
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// readKeys returns when ctx has ended or the terminal is gone. A read waits for
// a tenth of a second (VTIME).
func readKeys(ctx context.Context, fd int, quit func()) {
	for key := make([]byte, 1); ctx.Err() == nil; {
		n, err := unix.Read(fd, key)
		if err != nil && err != unix.EINTR && err != unix.EAGAIN {
			return
		}
		if n == 1 && (key[0] == 'q' || key[0] == 'Q') {
			quit()
		}
	}
}
