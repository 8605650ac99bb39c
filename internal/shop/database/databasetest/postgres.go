package databasetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a PostgreSQL that listens on a Unix socket only, so that no port
// can clash, and that does not care for the safety of its data.
type server struct {
	dir    string // holds the data and the socket
	cmd    *exec.Cmd
	exited chan error
	count  atomic.Int64
}

var (
	startPostgres = sync.OnceValues(start)
	running       atomic.Pointer[server]
)

func stopPostgres() error {
	if s := running.Load(); s != nil {
		return s.stop()
	}
	return nil
}

func start() (*server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, exited: make(chan error, 1)}
	if err := s.launch(bin); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	running.Store(s)
	return s, s.await()
}

// binaries returns the directory with initdb and postgres: Debian's newest, or
// the one on PATH. The error is os.ErrNotExist when there is none.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("initdb is neither in /usr/lib/postgresql/*/bin nor on PATH: %w", os.ErrNotExist)
	}
	initdb, err = filepath.EvalSymlinks(initdb)
	return filepath.Dir(initdb), err
}

func (s *server) launch(bin string) error {
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"),
		"--pgdata="+data, "--username=shop", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	s.cmd = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", s.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	for _, cmd := range []*exec.Cmd{initdb, s.cmd} {
		cmd.Dir = s.dir
		if err := unprivileged(cmd, s.dir); err != nil {
			return err
		}
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", initdb, err, out)
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() { s.exited <- s.cmd.Wait() }()
	return nil
}

// await connects until the server answers.
func (s *server) await() error {
	deadline := time.After(30 * time.Second)
	for {
		err := s.exec(context.Background(), "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case exit := <-s.exited:
			s.exited <- exit // stop reads it too
			return fmt.Errorf("postgres ended: %w", exit)
		case <-deadline:
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop asks for a fast shutdown and removes the data.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-s.exited:
		return errors.Join(err, os.RemoveAll(s.dir))
	case <-time.After(10 * time.Second):
		return errors.Join(errors.New("no end within 10 s, killed"), s.cmd.Process.Kill(), os.RemoveAll(s.dir))
	}
}

func (s *server) newDatabase(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test%d", s.count.Add(1))
	if err := s.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return s.url(name), nil
}

func (s *server) exec(ctx context.Context, statement string) (err error) {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

func (s *server) url(name string) string {
	query := url.Values{"host": {s.dir}, "user": {"shop"}}
	return "postgres:///" + name + "?" + query.Encode()
}
