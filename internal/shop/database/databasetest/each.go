// Package databasetest runs tests of stores on real databases: a SQLite file
// and a PostgreSQL server that is started once per test binary.
package databasetest

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/database"
)

// Main is for TestMain: it runs the tests, stops the server if a test started
// one, and returns the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if err := stopPostgres(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		return 1
	}
	return code
}

// Each runs the test as two subtests, each with the URL of an empty database
// of one kind. Without PostgreSQL on the machine that half is skipped, unless
// CI=true, where it fails.
func Each(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// SQLite returns the URL of a file that does not exist yet.
func SQLite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "shop.db") }

// Postgres returns the URL of a new database on the test binary's server.
func Postgres(t testing.TB) string {
	t.Helper()
	server, err := startPostgres()
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("no PostgreSQL on this machine (Debian: apt-get install postgresql):", err)
	}
	if err != nil {
		t.Fatal("start PostgreSQL: ", err)
	}
	url, err := server.newDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// For returns the URL of the service's data: in SQLite a file of its own beside
// that of the URL, in PostgreSQL the database that all services share.
func For(url, service string) string {
	if strings.HasPrefix(url, "sqlite:") {
		return url + "." + service
	}
	return url
}

// Open opens the database as a service does, until the test ends.
func Open(t *testing.T, url, schema string, files fs.FS) *database.DB {
	t.Helper()
	db := database.New(Source(t, url), schema, files, slog.New(slog.DiscardHandler))
	if err := db.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Source parses a URL of this package.
func Source(t *testing.T, url string) database.Source {
	t.Helper()
	s, err := database.Parse(url)
	if err != nil {
		t.Fatal(url, ": ", err)
	}
	return s
}
