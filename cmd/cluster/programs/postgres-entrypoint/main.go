// Command postgres-entrypoint starts PostgreSQL as the official image's entry point does,
// as far as a StatefulSet uses it: the first start makes the data directory, a superuser
// with a password and a database, as POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB (or the
// files named by those with _FILE) and PGDATA say. Scripts in docker-entrypoint-initdb.d are not run.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// postgresUser is the user and group id of postgres, as in the official image.
const postgresUser = 999

func main() {
	fmt.Fprintln(os.Stderr, "postgres-entrypoint:", become(os.Args[1:]))
	os.Exit(1)
}

// become returns only when something fails: otherwise this process becomes the server.
func become(command []string) error {
	if len(command) == 0 || strings.HasPrefix(command[0], "-") {
		command = append([]string{"postgres"}, command...)
	}
	if command[0] == "postgres" {
		if err := prepare(os.Getenv("PGDATA")); err != nil {
			return err
		}
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", path, syscall.Exec(path, command, serverEnv()))
}

func prepare(data string) error {
	if data == "" {
		return errors.New("PGDATA is not set: it is the directory the data lives in")
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if err := becomePostgres(data, "/var/run/postgresql"); err != nil {
			return fmt.Errorf("giving up root's rights: %w", err)
		}
	}
	_, err := os.Stat(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return initialize(data)
	}
	return err
}

// becomePostgres hands the directories over to postgres and goes on as that user.
func becomePostgres(dirs ...string) error {
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, postgresUser, postgresUser)
		})
		if err != nil {
			return err
		}
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(postgresUser); err != nil {
		return err
	}
	return syscall.Setuid(postgresUser)
}

// serverEnv is the environment without the password: the server has no use for it.
func serverEnv() (env []string) {
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "POSTGRES_PASSWORD") {
			env = append(env, variable)
		}
	}
	return env
}
