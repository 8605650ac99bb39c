//go:build unix

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
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
	if u.namespace {
		enterNamespace(cmd.SysProcAttr)
	}
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

// Own gives the user a directory and what is in it, unless the directory is the
// user's already.
func (u *User) Own(dir string) error {
	if u == nil {
		return nil
	}
	if info, err := os.Stat(dir); err != nil || u.owns(info) {
		return err
	}
	uid, gid := u.outside()
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
}

// Admit lets the user enter dir and the directories between it and state, which
// is ours to open. It fails if one above state is closed.
func (u *User) Admit(state, dir string) error {
	if u == nil {
		return nil
	}
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		isState := dir == state || strings.HasPrefix(dir, state+string(os.PathSeparator))
		switch open := info.Mode().Perm()&0o001 != 0 || u.owns(info); {
		case open:
		case !isState:
			return fmt.Errorf("user %d may not enter %s", u.UID, dir)
		default:
			if err := os.Chmod(dir, info.Mode().Perm()|0o001); err != nil {
				return err
			}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func (u *User) owns(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	uid, _ := u.outside()
	return ok && int(stat.Uid) == uid
}

// outside returns the user's numbers as the file system has them.
func (u *User) outside() (uid, gid int) {
	if u.namespace {
		return os.Geteuid(), os.Getegid()
	}
	return int(u.UID), int(u.GID)
}
