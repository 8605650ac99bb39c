package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// initialize makes the data directory. The password reaches initdb by a file that only
// postgres may read and that is gone afterwards.
func initialize(data string) (err error) {
	password, err := setting("POSTGRES_PASSWORD", "")
	if err != nil {
		return err
	}
	if password == "" {
		return errors.New("POSTGRES_PASSWORD is not set: the first start needs it, or POSTGRES_PASSWORD_FILE, for the superuser")
	}
	user, err := setting("POSTGRES_USER", "postgres")
	if err != nil {
		return err
	}
	database, err := setting("POSTGRES_DB", user)
	if err != nil {
		return err
	}

	file, err := os.CreateTemp("", "password-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = fmt.Fprintln(file, password)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}

	// Who is inside the container may use the socket without a password; everybody else needs it.
	if err := runTool("", "initdb", "--pgdata="+data, "--username="+user, "--pwfile="+file.Name(),
		"--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"); err != nil {
		return err
	}
	if err := appendTo(filepath.Join(data, "pg_hba.conf"), "\nhost all all all scram-sha-256\n"); err != nil {
		return err
	}
	if err := appendTo(filepath.Join(data, "postgresql.conf"), "\nlisten_addresses = '*'\n"); err != nil {
		return err
	}
	if database == "postgres" {
		return nil // initdb has made it
	}
	return runTool(createDatabase(database), "postgres", "--single", "-D", data, "postgres")
}

// setting returns the variable, or what the file named by <variable>_FILE holds.
func setting(variable, otherwise string) (string, error) {
	value, file := os.Getenv(variable), os.Getenv(variable+"_FILE")
	switch {
	case value != "" && file != "":
		return "", fmt.Errorf("%s and %[1]s_FILE are both set: set one", variable)
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("%s_FILE: %w", variable, err)
		}
		value = strings.TrimRight(string(data), "\r\n")
	}
	if value == "" {
		value = otherwise
	}
	if strings.ContainsAny(value, "\r\n\x00") {
		return "", fmt.Errorf("%s holds more than one line", variable)
	}
	return value, nil
}

// createDatabase is the statement in the form the single-user server reads: one line.
func createDatabase(name string) string {
	return `CREATE DATABASE "` + strings.ReplaceAll(name, `"`, `""`) + "\";\n"
}

func runTool(input, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = serverEnv()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}
