package record

import (
	"fmt"
	"io/fs"
	"syscall"
)

// inode returns which inode a file is and when it was last changed, a time that no
// program can set.
func inode(info fs.FileInfo) string {
	if system, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(system.Dev, system.Ino, system.Ctim)
	}
	return ""
}
