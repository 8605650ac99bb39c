package postgres

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// runScripts runs the SQL files for a new database, in the order of their
// names, on a server that nothing but they can reach.
func (t *tools) runScripts(ctx context.Context, data string, settings settings) error {
	scripts := t.sql()
	if len(scripts) == 0 {
		return nil
	}
	socket, err := os.MkdirTemp("", "ko-up-") // The names of sockets must be short.
	if err != nil {
		return err
	}
	defer os.RemoveAll(socket)
	if err := t.user.Own(socket); err != nil {
		return err
	}
	stop, err := t.startPrivate(ctx, data, socket)
	if err != nil {
		return err
	}
	for _, script := range scripts {
		if err = t.runScript(ctx, script, socket, settings); err != nil {
			err = fmt.Errorf("running %s: %w", script.Name, err)
			break
		}
	}
	return errors.Join(err, stop())
}

// sql returns the SQL files, and says which others are not run.
func (t *tools) sql() []Script {
	var scripts []Script
	for _, script := range t.Scripts {
		if strings.HasSuffix(script.Name, ".sql") || strings.HasSuffix(script.Name, ".sql.gz") {
			scripts = append(scripts, script)
			continue
		}
		fmt.Fprintf(t.Output, "%s of docker-entrypoint-initdb.d is not run: here only .sql and .sql.gz are\n", script.Name)
	}
	return scripts
}

// startPrivate starts a server on a socket, and returns when it answers. stop
// ends it and returns when it is gone.
func (t *tools) startPrivate(ctx context.Context, data, socket string) (stop func() error, err error) {
	own, cancel := context.WithCancel(ctx)
	server := t.command(own, "postgres", "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+socket)
	ended := make(chan error, 1)
	go func() { ended <- t.run(server) }() // cancel is a SIGINT, a fast shutdown.
	stop = func() error {
		cancel()
		if err := <-ended; err != nil && ctx.Err() == nil && server.ProcessState.ExitCode() != 0 {
			return err
		}
		return ctx.Err()
	}
	for {
		ready := t.command(ctx, "pg_isready", "--quiet", "--host="+socket)
		if t.Run(ready) == nil {
			return stop, nil
		}
		select {
		case err := <-ended:
			cancel()
			return nil, fmt.Errorf("the server for the scripts ended: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (t *tools) runScript(ctx context.Context, script Script, socket string, settings settings) error {
	file, err := os.Open(script.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	var sql io.Reader = file
	if strings.HasSuffix(script.Name, ".gz") {
		if sql, err = gzip.NewReader(file); err != nil {
			return err
		}
	}
	psql := t.command(ctx, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--host="+socket,
		"--username="+settings.user, "--dbname="+settings.database)
	psql.Stdin = sql
	err = t.run(psql)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("psql is not in %s: install PostgreSQL's client", t.installation.Bin)
	}
	return err
}
