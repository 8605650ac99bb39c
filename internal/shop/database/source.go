// Package database opens a service's SQLite file or its schema in PostgreSQL,
// behind database/sql, and brings it up to date.
//
// Stores use the SQL that both have in common: $1 parameters, ON CONFLICT,
// RETURNING, texts, and BIGINT for times (milliseconds since 1970) and money
// (cents).
package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/koshop/koshop/internal/shop/config"
)

const (
	// maxConns is how many connections a replica has at most. They are kept, so
	// that steady load opens no new ones. Three services of two replicas, and as
	// many during a rollout, stay far below PostgreSQL's 100.
	maxConns    = 5
	maxIdleTime = 5 * time.Minute
	// maxLifetime is when a connection is replaced, so that they spread again over
	// the servers behind one name.
	maxLifetime = 30 * time.Minute
	// connectTimeout bounds an attempt to connect, to each of several hosts.
	connectTimeout = 2 * time.Second
	// checkTimeout bounds the check of a connection that was idle: a server that
	// vanished does not say so.
	checkTimeout = 500 * time.Millisecond
	// lockTimeout is how long SQLite waits for a lock that another process holds.
	// It is below statementTimeout, so that the lock is the reason that is given.
	lockTimeout = 1500 * time.Millisecond
)

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

// mayRecover reports whether what failed may succeed later: a server may come
// up or let the service in; a file that cannot be opened stays as it is.
func (s Source) mayRecover(err error) bool {
	switch troubleOf(err) {
	case none:
		return false
	case busy, late, readOnly, full:
		return true
	default:
		return s.postgres != nil
	}
}

// pool opens the pool of connections, which connects to nothing yet.
func (s Source) pool(schema string) (pool *sql.DB, err error) {
	if s.postgres != nil {
		pool = s.postgresPool(schema)
	} else if pool, err = s.sqlitePool(); err != nil {
		return nil, fmt.Errorf("open %v: %w", s, err)
	}
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	pool.SetConnMaxIdleTime(maxIdleTime)
	pool.SetConnMaxLifetime(maxLifetime)
	return pool, nil
}

// dropIdle closes the connections that are in no use.
func dropIdle(pool *sql.DB) {
	pool.SetMaxIdleConns(0)
	pool.SetMaxIdleConns(maxConns)
}

// postgresPool keeps nothing on a connection but its parameters: a prepared
// statement fails once after a migration of another replica, and always behind a
// pooler that changes the server.
func (s Source) postgresPool(schema string) *sql.DB {
	cfg := s.postgres.Copy()
	cfg.RuntimeParams["search_path"] = schema
	cfg.RuntimeParams["application_name"] = schema
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	if cfg.ConnectTimeout <= 0 || cfg.ConnectTimeout > connectTimeout {
		cfg.ConnectTimeout = connectTimeout
	}
	keeps := cfg.OnPgError
	cfg.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) (keep bool) {
		// After a failover, another connection leads to the new primary.
		return postgresTrouble(err.Code) != readOnly && keeps(conn, err)
	}
	return stdlib.OpenDB(*cfg, stdlib.OptionShouldPing(check), stdlib.OptionResetSession(refuseClosed))
}

// check pings a connection that was idle, which closes it if the server does not
// answer soon. It tells the driver not to do so: that would wait for as long as
// the statement may take.
func check(ctx context.Context, p stdlib.ShouldPingParams) bool {
	if p.IdleDuration > time.Second {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		_ = p.Conn.PgConn().Ping(ctx) // refuseClosed sees it
	}
	return false
}

// refuseClosed makes the pool take another connection.
func refuseClosed(_ context.Context, conn *pgx.Conn) error {
	if conn.IsClosed() {
		return driver.ErrBadConn
	}
	return nil
}

func (s Source) sqlitePool() (*sql.DB, error) {
	if err := s.checkFile(); err != nil {
		return nil, err
	}
	return sql.Open("sqlite", s.sqliteDSN())
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
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", lockTimeout.Milliseconds()), "journal_mode(WAL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	return "file:" + (&url.URL{Path: s.file}).EscapedPath() + "?" + query.Encode()
}
