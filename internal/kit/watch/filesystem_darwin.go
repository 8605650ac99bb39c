package watch

import (
	"slices"

	"golang.org/x/sys/unix"
)

// silent are the file systems on which kqueue(2) reports only the changes that
// are made on this machine, by the name that statfs(2) returns.
var silent = []string{"nfs", "smbfs", "afpfs", "webdav", "macfuse", "osxfuse", "virtiofs", "9p", "vmhgfs", "prl_fs"}

// silentFileSystem returns the name of the file system of a path if changes on
// it are not reported, else "". It returns an error if the path cannot be reached.
func silentFileSystem(path string) (string, error) {
	var about unix.Statfs_t
	if err := unix.Statfs(path, &about); err != nil {
		return "", err
	}
	name := unix.ByteSliceToString(about.Fstypename[:])
	if !slices.Contains(silent, name) {
		return "", nil
	}
	return name, nil
}
