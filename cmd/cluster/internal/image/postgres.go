package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	postgresVersion = "15"
	// PostgresBin is where Debian keeps the server's programs.
	PostgresBin = "/usr/lib/postgresql/" + postgresVersion + "/bin"
	// PostgresUser is the user and group id of postgres in the official image.
	PostgresUser = 999
)

// postgresRoots are the packages the image is for; their dependencies come with them.
// busybox is its shell: initdb needs one, and so does who looks around in the container.
var postgresRoots = []string{
	"postgresql-" + postgresVersion, "postgresql-client-" + postgresVersion,
	"libc-bin", "tzdata", "busybox-static",
}

// postgresWithout are dependencies that only installing or administrating needs, and LLVM,
// which would double the size and without which the server compiles no queries.
var postgresWithout = []string{
	"adduser", "debconf", "dpkg", "init-system-helpers", "libllvm14", "locales", "locales-all", "passwd", "perl",
	"postgresql-client-common", "postgresql-common", "sensible-utils", "ssl-cert", "tar", "ucf",
}

// postgresUnused are files nobody reads in a container.
var postgresUnused = []string{
	"usr/share/doc", "usr/share/info", "usr/share/lintian", "usr/share/locale", "usr/share/man", "usr/share/bug",
	"usr/lib/postgresql/*/lib/bitcode", "usr/lib/postgresql/*/lib/llvmjit*", "var/lib/dpkg", "var/cache",
}

// PostgresEntries assembles in dir, which is emptied first, the root file system of a
// PostgreSQL server that starts by the program entrypoint, out of Debian's packages.
func PostgresEntries(ctx context.Context, dir, entrypoint string) ([]Entry, error) {
	debs, root := filepath.Join(dir, "debs"), filepath.Join(dir, "root")
	if err := prepare(dir, debs, root); err != nil {
		return nil, err
	}
	packages, err := closure(ctx, postgresRoots, postgresWithout)
	if err != nil {
		return nil, err
	}
	if err := unpack(ctx, debs, root, packages); err != nil {
		return nil, err
	}
	for _, pattern := range postgresUnused {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if err := os.RemoveAll(path); err != nil {
				return nil, err
			}
		}
	}
	if err := linkShell(ctx, root); err != nil {
		return nil, err
	}
	// A missing library shows here rather than in a pod.
	for _, program := range []string{"postgres", "initdb", "psql", "pg_isready"} {
		if _, err := output(ctx, root, "chroot", root, filepath.Join(PostgresBin, program), "--version"); err != nil {
			return nil, fmt.Errorf("the assembled root file system is not whole: %w", err)
		}
	}
	entries, err := Tree(root)
	return append(entries, postgresOwn(entrypoint)...), err
}

func prepare(dir, debs, root string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, path := range []string{debs, root} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// postgresOwn are the files that no package brings.
func postgresOwn(entrypoint string) []Entry {
	home := Directory("var/lib/postgresql", 0o750)
	data := Directory("var/lib/postgresql/data", 0o700)
	sockets := Directory("run/postgresql", 0o775|fs.ModeSetgid)
	entries := []Entry{home, data, sockets}
	for i := range entries {
		entries[i].Owner = PostgresUser
	}
	return append(entries,
		Directory("run", 0o755),
		Symlink("var/run", "../run"),
		Directory("tmp", 0o777|fs.ModeSticky),
		Directory("docker-entrypoint-initdb.d", 0o755),
		Text("etc/passwd", fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\npostgres:x:%d:%[1]d::/var/lib/postgresql:/bin/sh\n", PostgresUser)),
		Text("etc/group", fmt.Sprintf("root:x:0:\npostgres:x:%d:\n", PostgresUser)),
		Text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
		Program("usr/local/bin/docker-entrypoint.sh", entrypoint),
	)
}

// linkShell makes /bin/sh and busybox's other applets; the packages' own programs come first in PATH.
func linkShell(ctx context.Context, root string) error {
	list, err := output(ctx, root, "chroot", root, "/bin/busybox", "--list")
	if err != nil {
		return err
	}
	for _, applet := range strings.Fields(list) {
		err := os.Symlink("busybox", filepath.Join(root, "bin", applet))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	_, err = output(ctx, root, "chroot", root, "/bin/sh", "-c", "true")
	return err
}

func output(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", cmd, err, strings.TrimSpace(complaint.String()))
	}
	return string(out), err
}
