//go:build !linux && !darwin

package record

import "io/fs"

// inode returns nothing: size and time have to do here.
func inode(fs.FileInfo) string { return "" }
