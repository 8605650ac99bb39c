package watch

import "golang.org/x/sys/unix"

// silent are the file systems on which inotify(7) reports only the changes that
// are made on this machine, by the number that statfs(2) returns. Those without a
// name in golang.org/x/sys/unix are from the kernel's and GNU coreutils' sources.
var silent = map[uint32]string{
	unix.V9FS_MAGIC:       "9p", // Windows drives in WSL, folders of QEMU and Minikube
	unix.NFS_SUPER_MAGIC:  "nfs",
	unix.SMB_SUPER_MAGIC:  "smb",
	unix.CIFS_SUPER_MAGIC: "cifs",
	unix.SMB2_SUPER_MAGIC: "smb2",
	unix.FUSE_SUPER_MAGIC: "fuse", // virtiofs as well: bind mounts of Docker Desktop, Lima and Colima
	unix.AFS_SUPER_MAGIC:  "afs",
	unix.CEPH_SUPER_MAGIC: "ceph",
	0x786f4256:            "vboxsf", // shared folders of VirtualBox
	0xbacbacbc:            "vmhgfs", // shared folders of VMware
	0x7c7c6673:            "prl_fs", // shared folders of Parallels
}

// silentFileSystem returns the name of the file system of a path if changes on
// it are not reported, else "". It returns an error if the path cannot be reached.
func silentFileSystem(path string) (string, error) {
	var about unix.Statfs_t
	if err := unix.Statfs(path, &about); err != nil {
		return "", err
	}
	return silent[uint32(about.Type)], nil
}
