package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroupDirs returns every directory of the control group called name: one tree in
// version 2, one per controller in version 1. Children come before their parents.
func cgroupDirs(name string) (dirs []string, err error) {
	pattern := filepath.Join(cgroupRoot, "*", name)
	if len(Existing(filepath.Join(cgroupRoot, "cgroup.controllers"))) > 0 {
		pattern = filepath.Join(cgroupRoot, name)
	}
	roots, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	for _, root := range roots {
		below, err := directories(root)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, below...)
	}
	return dirs, nil
}

// CgroupProcesses returns the processes in the control group called name and below.
func CgroupProcesses(name string) ([]int, error) {
	dirs, err := cgroupDirs(name)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue // a group that has just gone, or a threaded one
		}
		for _, field := range strings.Fields(string(data)) {
			// 0 is a process outside of the caller's own process namespace.
			if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// RemoveCgroup removes the control group called name, which must hold no process any more.
func RemoveCgroup(name string) error {
	dirs, err := cgroupDirs(name)
	if err != nil {
		return err
	}
	var problems []error
	for _, dir := range dirs {
		if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, syscall.ENOENT) {
			problems = append(problems, &fs.PathError{Op: "rmdir", Path: dir, Err: err})
		}
	}
	return errors.Join(problems...)
}
