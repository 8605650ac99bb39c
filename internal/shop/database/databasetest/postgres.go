package databasetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// server is a PostgreSQL that listens on a Unix socket only, so that no port
// can clash, and that does not care for the safety of its data.
type server struct {
	dir    string // holds the data and the socket
	bin    string // holds the programs
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
	s := &server{dir: dir, bin: bin, exited: make(chan error, 1)}
	if err := errors.Join(s.initialize(), s.launch()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	running.Store(s)
	return s, s.await()
}

// Restart stops the test binary's server, which breaks all connections, and
// starts it again.
func Restart(t *testing.T) {
	t.Helper()
	s, err := startPostgres()
	if err == nil {
		err = s.end()
	}
	if err == nil {
		err = s.launch()
	}
	if err == nil {
		err = s.await()
	}
	if err != nil {
		t.Fatal("restart PostgreSQL: ", err)
	}
}

// Exec runs a statement in the PostgreSQL database of a URL, as its superuser.
func Exec(t *testing.T, url, statement string) {
	t.Helper()
	if err := run(context.Background(), url, statement); err != nil {
		t.Fatal(statement, ": ", err)
	}
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

// ReadOnly makes the PostgreSQL database of a URL one that takes no writes, and
// breaks the connections to it, as a failover to a standby does; or it ends that,
// for new connections only.
func ReadOnly(t *testing.T, url string, on bool) {
	t.Helper()
	s, err := startPostgres()
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(strings.SplitN(url, "?", 2)[0], "postgres:///")
	statements := []string{fmt.Sprintf(`ALTER DATABASE %s SET default_transaction_read_only = %t`, name, on)}
	if on {
		statements = append(statements, fmt.Sprintf(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'`, name))
	}
	for _, statement := range statements {
		if err := s.exec(t.Context(), statement); err != nil {
			t.Fatal(statement, ": ", err)
		}
	}
}

// data is the directory of the server's data.
func (s *server) data() string { return filepath.Join(s.dir, "data") }

func (s *server) initialize() error {
	initdb := exec.Command(filepath.Join(s.bin, "initdb"),
		"--pgdata="+s.data(), "--username=shop", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir = s.dir
	if err := unprivileged(initdb, s.dir); err != nil {
		return err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", initdb, err, out)
	}
	return nil
}

func (s *server) launch() error {
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	s.cmd.Dir = s.dir
	if err := unprivileged(s.cmd, s.dir); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	cmd := s.cmd
	go func() { s.exited <- cmd.Wait() }()
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

// stop ends the server and removes the data.
func (s *server) stop() error { return errors.Join(s.end(), os.RemoveAll(s.dir)) }

// end asks for a fast shutdown and waits for it.
func (s *server) end() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-s.exited:
		return err
	case <-time.After(10 * time.Second):
		return errors.Join(errors.New("no end within 10 s, killed"), s.cmd.Process.Kill())
	}
}

func (s *server) newDatabase(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test%d", s.count.Add(1))
	if err := s.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return s.url(name), nil
}

func (s *server) exec(ctx context.Context, statement string) error {
	return run(ctx, s.url("postgres"), statement)
}

func run(ctx context.Context, url, statement string) (err error) {
	conn, err := pgx.Connect(ctx, url)
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
