package postgres_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestServer(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, map[string]string{
		"POSTGRES_USER": `Sh-op`, "POSTGRES_PASSWORD": `it's \ secret`, "POSTGRES_DB": "Orders; --", "POSTGRES_INITDB_ARGS": "--data-checksums '--locale=C'",
	})
	d.server.Words = []string{"docker-entrypoint.sh", "postgres", "-c", "max_connections=33", "-p", "5432", "-c", "listen_addresses=*"}
	stop := d.start()
	as := func(want, statement string) {
		t.Helper()
		d.expect(want, `Sh-op`, `it's \ secret`, "Orders; --", statement)
	}
	as("33", "SHOW max_connections")
	as("127.0.0.1", "SHOW listen_addresses")
	as("on", "SHOW data_checksums")
	as("C", "SELECT datcollate FROM pg_database WHERE datname = current_database()")
	as("true", "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
	as("42", "SELECT lo_from_bytea(42, 'kept')")
	if _, err := d.query(`Sh-op`, "wrong", "Orders; --", "SELECT 1"); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("a wrong password: %v", err)
	}
	stop()
	d.server.Env = nil // The first start alone needs a password.
	d.start()
	as("kept", "SELECT convert_from(lo_get(42), 'UTF8')")
}

func TestFilesWithPasswordsAndBitnamisNames(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDatabase(t, map[string]string{
		"POSTGRESQL_USERNAME": "shop", "POSTGRESQL_PASSWORD_FILE": secret, "POSTGRESQL_DATABASE": "orders", "POSTGRESQL_POSTGRES_PASSWORD": "root",
	})
	d.start()
	d.expect("orders", "shop", "from a file", "orders", "SELECT current_database()")
	d.expect("postgres", "postgres", "root", "orders", "SELECT current_user")
}

func TestScripts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	d := newDatabase(t, map[string]string{"POSTGRES_PASSWORD": "secret", "POSTGRES_DB": "shop", "POSTGRES_USER": "shop"})
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	zip.Write([]byte("INSERT INTO words VALUES ('packed');\n"))
	zip.Close()
	d.scripts([][2]string{
		{"10-table.sql", "CREATE TABLE words (word text);\n\\set plain 'it''s'\nINSERT INTO words VALUES (:'plain');\n"},
		{"20-more.sql", "COPY words FROM stdin;\ncopied\n\\.\n"},
		{"30.sql.gz", packed.String()},
		{"40-more.sh", "exit 1"},
	})
	d.start()
	d.expect("it's copied packed", "shop", "secret", "shop", "SELECT string_agg(word, ' ') FROM words")
	if !strings.Contains(d.said.String(), "40-more.sh of docker-entrypoint-initdb.d is not run") {
		t.Errorf("said %q", d.said.String())
	}
}

// What is cut short is no database: the next start makes it anew.
func TestInitializationIsAllOrNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	d := newDatabase(t, map[string]string{"POSTGRES_PASSWORD": "secret", "POSTGRES_INITDB_ARGS": "--no-sync"})
	d.scripts([][2]string{{"bad.sql", "CREATE TABL;"}})
	_, _, err := d.server.Prepare(t.Context())
	if err == nil || !strings.Contains(err.Error(), "running bad.sql") || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("a bad script: %v", err)
	}
	for tool := range 3 { // initdb, the statements, the server for scripts
		var left atomic.Int64 // Tools run at the same time.
		left.Store(int64(tool))
		d.server.Run = func(cmd *exec.Cmd) error {
			if left.Add(-1) < 0 {
				return errors.New("killed")
			}
			return d.group.Run(cmd)
		}
		if _, _, err := d.server.Prepare(t.Context()); err == nil {
			t.Fatalf("tool %d was killed, and the database is there", tool)
		}
		if _, err := os.Stat(d.server.Data); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a data directory (error %v)", err)
		}
	}
	// A kill leaves what it was about.
	unfinished := filepath.Join(filepath.Dir(d.server.Data), ".pgdata.unfinished")
	if err := os.MkdirAll(filepath.Join(unfinished, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.server.Run, d.server.Scripts = d.group.Run, nil
	d.start()
	d.expect("1", "postgres", "secret", "postgres", "SELECT '1'")
	if _, err := os.Stat(unfinished); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was unfinished is still there (error %v)", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		env  map[string]string
		make func(*database) error
		want string
	}{
		{name: "no password", want: "POSTGRES_PASSWORD is not set"},
		{name: "both", env: map[string]string{"POSTGRES_PASSWORD": "a", "POSTGRES_PASSWORD_FILE": "b"}, want: "both set"},
		{name: "two lines", env: map[string]string{"POSTGRES_PASSWORD": "a\nb"}, want: "more than one line"},
		{name: "another program", make: func(d *database) error { d.server.Words = []string{"sh", "-c", "postgres"}; return nil }, want: "command sh is not the server"},
		{name: "another version", make: func(d *database) error {
			return errors.Join(os.Mkdir(d.server.Data, 0o700), os.WriteFile(filepath.Join(d.server.Data, "PG_VERSION"), []byte("8\n"), 0o600))
		}, want: "made by PostgreSQL 8, which is not installed here"},
		{name: "something else", make: func(d *database) error {
			return errors.Join(os.Mkdir(d.server.Data, 0o700), os.WriteFile(filepath.Join(d.server.Data, "notes"), nil, 0o600))
		}, want: "is not empty and holds no database"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDatabase(t, test.env)
			if test.make != nil {
				if err := test.make(d); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := d.server.Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// Root runs the server as another user, who must be able to reach the data, also
// where others may not enter.
func TestDirectoryThatOthersMayNotEnter(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root has another user run the server")
	}
	d := newDatabase(t, map[string]string{"POSTGRES_PASSWORD": "secret", "POSTGRES_INITDB_ARGS": "--no-sync"})
	above := filepath.Dir(d.server.State)
	for _, mode := range []fs.FileMode{0o700, 0o755, 0o700} {
		if err := os.Chmod(above, mode); err != nil {
			t.Fatal(err)
		}
		if mode == 0o700 && exec.Command("unshare", "--user", "true").Run() != nil {
			_, _, err := d.server.Prepare(t.Context())
			if err == nil || !strings.Contains(err.Error(), "may not enter "+above) || !strings.Contains(err.Error(), "--state") {
				t.Errorf("got %v", err)
			}
			continue
		}
		stop := d.start()
		d.expect("1", "postgres", "secret", "postgres", "SELECT '1'")
		stop()
	}
}
