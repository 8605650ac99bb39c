//go:build unix && !linux

package process

import (
	"errors"
	"syscall"
)

// InNamespace fails: only Linux has user namespaces.
func (u *User) InNamespace() (*User, error) {
	return nil, errors.New("this system has no user namespaces")
}

func enterNamespace(*syscall.SysProcAttr) {}
