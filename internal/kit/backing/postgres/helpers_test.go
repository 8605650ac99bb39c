package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/koshop/koshop/internal/kit/backing/postgres"
	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/process"
)

// deadline bounds the waiting for what takes a second on an idle machine.
const deadline = time.Minute

// database is a server under test and its directory.
type database struct {
	t      *testing.T
	group  *process.Group
	server *postgres.Server
	said   bytes.Buffer
}

// newDatabase skips the test where PostgreSQL is not installed.
func newDatabase(t *testing.T, env map[string]string) *database {
	t.Helper()
	d := &database{t: t, server: &postgres.Server{Installed: postgres.Installed(t.Context()), Env: env}}
	if len(d.server.Installed) == 0 {
		t.Skip("PostgreSQL (initdb, postgres) is not installed")
	}
	dir, err := os.MkdirTemp("", "backing") // The directory above t.TempDir() is closed to other users.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d.server.State = filepath.Join(dir, "state")
	volume := filepath.Join(d.server.State, "claims", "data")
	if err := os.MkdirAll(volume, 0o700); err != nil {
		t.Fatal(err)
	}
	if d.group, err = process.NewGroup(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.group.Close() })
	d.server.Data, d.server.Run, d.server.Output = filepath.Join(volume, "pgdata"), d.group.Run, &d.said
	return d
}

// start runs the server until the test ends or stop is called.
func (d *database) start() (stop func()) {
	d.t.Helper()
	d.server.Port = kittest.FreePort(d.t)
	command, _, err := d.server.Prepare(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	out := &lines{}
	command.Output = out
	p, err := d.group.Start(command)
	if err != nil {
		d.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		p.Stop(deadline)
		if state := p.State(); state.Code != 0 {
			d.t.Errorf("the server ended with %v and said\n%s", state, out)
		}
	})
	d.t.Cleanup(stop)
	return stop
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// query runs a statement as a client of the server would, and returns its one value.
func (d *database) query(user, password, name, statement string) (string, error) {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(d.server.Port)), Path: name}
	ctx, cancel := context.WithTimeout(d.t.Context(), deadline)
	defer cancel()
	for {
		connection, err := pgx.Connect(ctx, u.String()+"?sslmode=disable")
		var value any
		if err == nil {
			err = connection.QueryRow(ctx, statement).Scan(&value)
			connection.Close(ctx)
		}
		starting := err != nil && (strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "starting up"))
		if !starting {
			return fmt.Sprint(value), err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d *database) expect(want, user, password, name, statement string) {
	d.t.Helper()
	if got, err := d.query(user, password, name, statement); err != nil || got != want {
		d.t.Errorf("%s as %s in %s: got %q, %v, want %q", statement, user, name, got, err, want)
	}
}

// scripts writes files for a new database.
func (d *database) scripts(files [][2]string) {
	d.t.Helper()
	dir := d.t.TempDir()
	for _, file := range files {
		path := filepath.Join(dir, file[0])
		if err := os.WriteFile(path, []byte(file[1]), 0o600); err != nil {
			d.t.Fatal(err)
		}
		d.server.Scripts = append(d.server.Scripts, postgres.Script{Name: file[0], Path: path})
	}
}
