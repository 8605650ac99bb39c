//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// SetUser gives a command the rights of a user before it is started; nil
// changes nothing.
func SetUser(cmd *exec.Cmd, u *User) {
	if u == nil {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: u.UID, Gid: u.GID}}
}

// Unprivileged returns the first of the named users that this machine has, for
// programs that refuse to run as root. It returns nil if we are not root.
func Unprivileged(names ...string) (*User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range names {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(err, err2); err != nil {
			return nil, fmt.Errorf("reading the ids of user %s: %w", name, err)
		}
		return &User{UID: uint32(uid), GID: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("this machine has no user %s", strings.Join(names, " or "))
}
