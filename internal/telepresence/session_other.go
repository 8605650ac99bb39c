//go:build !unix

package telepresence

import "os/exec"

// ownSession does nothing where there is no such thing.
func ownSession(*exec.Cmd) {}
