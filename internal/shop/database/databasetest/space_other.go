//go:build !linux

package databasetest

import "testing"

// SmallDisk skips the test where file systems are not mounted as on Linux.
func SmallDisk(t *testing.T) string {
	t.Skip("needs Linux")
	return ""
}

// Fill is only called after SmallDisk.
func Fill(*testing.T, string) (release func()) { return func() {} }
