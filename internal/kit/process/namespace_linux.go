package process

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// InNamespace returns a user of the same number who may enter all directories
// that we may: it is us, under a number that is not root's, in a user namespace.
// It fails where those are not allowed, as in most containers.
func (u *User) InNamespace() (*User, error) {
	inside := &User{UID: u.UID, GID: u.GID, namespace: true}
	try := exec.Command("/bin/true")
	SetUser(try, inside)
	if err := try.Run(); err != nil {
		return nil, fmt.Errorf("using a user namespace: %w", err)
	}
	return inside, nil
}

// enterNamespace makes the numbers of the credential those of our own rights.
func enterNamespace(attributes *syscall.SysProcAttr) {
	credential := attributes.Credential
	credential.NoSetGroups = true
	attributes.Cloneflags |= syscall.CLONE_NEWUSER
	attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: int(credential.Uid), HostID: os.Geteuid(), Size: 1}}
	attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: int(credential.Gid), HostID: os.Getegid(), Size: 1}}
}
