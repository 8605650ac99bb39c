// Package database opens a service's SQLite file or its schema in PostgreSQL,
// behind database/sql, and brings it up to date.
//
// Stores use the SQL that both have in common: $1 parameters, ON CONFLICT,
// RETURNING, texts, and BIGINT for times (milliseconds since 1970) and money
// (cents).
package database

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite" // and the driver "sqlite"

	"github.com/koshop/koshop/internal/shop/config"
)

// sqliteBusy is the code of SQLite (SQLITE_BUSY) for a lock that another
// process holds.
const sqliteBusy = 5

// Source says where a service's data is. The zero Source is invalid.
type Source struct {
	file     string          // SQLite
	postgres *pgx.ConnConfig // PostgreSQL
}

// Bind adds DATABASE_URL to the set, with a file named after the workload in
// the working directory as its default.
func (s *Source) Bind(v *config.Set, workload string) {
	v.Secret("DATABASE_URL", "sqlite:"+workload+".db",
		"where the data is: sqlite:PATH, or postgres://USER@HOST/NAME (password in PGPASSWORD)",
		func(value string) (err error) {
			*s, err = Parse(value)
			return err
		})
}

// Parse reads a DATABASE_URL: sqlite:PATH, or a PostgreSQL URL. What a
// PostgreSQL URL leaves out comes from the usual PG… variables.
func Parse(value string) (Source, error) {
	if path, ok := strings.CutPrefix(value, "sqlite:"); ok {
		path = strings.TrimPrefix(path, "//")
		if path == "" || path == ":memory:" { // each connection would have a memory of its own
			return Source{}, errors.New("must name a file, such as sqlite:shop.db")
		}
		return Source{file: filepath.Clean(path)}, nil
	}
	if !strings.HasPrefix(value, "postgres:") && !strings.HasPrefix(value, "postgresql:") {
		return Source{}, errors.New("must be sqlite:PATH or postgres://USER@HOST/NAME")
	}
	cfg, err := pgx.ParseConfig(value)
	if err != nil { // its text repeats the value
		return Source{}, errors.New("must be a PostgreSQL URL such as postgres://shop@postgres/shop")
	}
	return Source{postgres: cfg}, nil
}

// String names the database without its password.
func (s Source) String() string {
	if s.postgres != nil {
		return fmt.Sprintf("PostgreSQL database %q on %s:%d", s.postgres.Database, s.postgres.Host, s.postgres.Port)
	}
	return "SQLite file " + s.file
}

// mayRecover reports whether a connection that failed may succeed later: a
// server may come up, a file does not get better once nobody else locks it.
func (s Source) mayRecover(err error) bool {
	var e *sqlite.Error
	return s.postgres != nil || errors.As(err, &e) && e.Code()&0xff == sqliteBusy
}

// pool opens the pool of connections, which connects to nothing yet.
func (s Source) pool(schema string) (*sql.DB, error) {
	var db *sql.DB
	if s.postgres != nil {
		cfg := s.postgres.Copy()
		cfg.RuntimeParams["search_path"] = schema
		cfg.RuntimeParams["application_name"] = schema
		db = stdlib.OpenDB(*cfg)
	} else {
		if err := s.checkFile(); err != nil {
			return nil, fmt.Errorf("open %v: %w", s, err)
		}
		var err error
		if db, err = sql.Open("sqlite", s.sqliteDSN()); err != nil {
			return nil, fmt.Errorf("open %v: %w", s, err)
		}
	}
	// Three services of two replicas stay far below PostgreSQL's 100 connections.
	db.SetMaxOpenConns(5)
	db.SetMaxIdleConns(2)
	return db, nil
}

// checkFile refuses a path at which there can be no database.
func (s Source) checkFile() error {
	if _, err := os.Stat(filepath.Dir(s.file)); err != nil {
		return fmt.Errorf("%w; create the directory or set DATABASE_URL", err)
	}
	if info, err := os.Stat(s.file); err == nil && !info.Mode().IsRegular() {
		return errors.New("it is no regular file; set DATABASE_URL")
	}
	return nil
}

// sqliteDSN asks for write-ahead logging, so that readers do not wait for a
// writer, and for transactions that take the write lock at once: a lock taken
// later cannot be waited for.
func (s Source) sqliteDSN() string {
	query := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	return "file:" + (&url.URL{Path: s.file}).EscapedPath() + "?" + query.Encode()
}
