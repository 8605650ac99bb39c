package watch

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when the content or an attribute of a file was changed last;
// unlike the time of modification, programs cannot set it.
func changeTime(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return time.Time{}
}
