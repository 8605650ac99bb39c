//go:build !linux

package databasetest

import "os/exec"

// unprivileged has nothing to do where tests do not run as root.
func unprivileged(*exec.Cmd, string) error { return nil }
