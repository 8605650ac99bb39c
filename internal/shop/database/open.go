package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/koshop/koshop/internal/shop/telemetry"
)

const (
	firstPause   = 100 * time.Millisecond // before Open tries again
	longestPause = 5 * time.Second
)

// DB is the database of a service. The statements of its own may write and are
// not repeated, unless they certainly changed nothing; see Reads and Repeatable
// for those that may be.
type DB struct {
	Statements
	source Source
	schema string
	files  fs.FS // migrations/*.sql
	log    *slog.Logger
	pool   *sql.DB
	// writer is whose turn it is to write. SQLite has one writer, and its own
	// waiting is neither fair nor quick. PostgreSQL has no such limit: nil.
	writer *semaphore.Weighted
	health health
}

// New returns a database that is not open yet. The schema is the service's own
// in PostgreSQL, which the files migrations/*.sql bring up to date.
func New(s Source, schema string, files fs.FS, log *slog.Logger) *DB {
	db := &DB{source: s, schema: schema, files: files, log: log}
	if s.postgres == nil {
		db.writer = semaphore.NewWeighted(1)
	}
	db.health = health{log: log, waits: away}
	return db
}

// Open connects to the database and applies the migrations that are missing. It
// waits until ctx ends for a database that is not there, does not let the
// service in yet, is read-only or is full: pods of one application start in any
// order. It fails at once if the source is wrong or a migration fails.
func (db *DB) Open(ctx context.Context) error {
	pool, err := db.source.pool(db.schema)
	if err != nil {
		return err
	}
	db.pool, db.Statements = pool, Statements{db: db, on: pool, writes: true, limit: statementTimeout}
	if err := db.await(ctx); err != nil {
		return errors.Join(err, pool.Close())
	}
	observe(telemetry.From(ctx), pool)
	db.health.opened()
	return nil
}

func (db *DB) await(ctx context.Context) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := db.bringUp(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil && !db.source.mayRecover(err) {
			return err
		}
		db.health.waitsFor(troubleOf(err))
		db.log.WarnContext(ctx, "waiting for the database", "database", db.source.String(), "again_in", pause.String(), "error", err.Error())
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%v is not reachable: %w", db.source, err)
		}
	}
}

func (db *DB) bringUp(ctx context.Context) error {
	if err := db.ping(ctx); err != nil {
		err = fmt.Errorf("open %v: %w", db.source, err)
		if !db.source.mayRecover(err) {
			err = fmt.Errorf("%w; set DATABASE_URL to a database that this service may use", err)
		}
		return err
	}
	if err := db.migrate(ctx); err != nil {
		return fmt.Errorf("migrate %v: %w", db.source, err)
	}
	return nil
}

// Close closes all connections.
func (db *DB) Close() error { return db.pool.Close() }

// Reads runs statements that only read. They are repeated once if the connection
// fails, and wait for no writer.
func (db *DB) Reads() Statements {
	s := db.Statements
	s.writes, s.repeat = false, always
	return s
}

// Repeatable runs statements that have the same effect and the same result when
// they are carried out twice. They are repeated once if the connection fails.
func (db *DB) Repeatable() Statements {
	s := db.Statements
	s.repeat = always
	return s
}

// Transaction runs the statements of a function: all of them take effect, or, if
// the function fails, none. The time of all of them is bounded by ctx alone.
func (db *DB) Transaction(ctx context.Context, do func(tx Statements) error) error {
	whole := Statements{db: db, writes: true, repeat: never}
	return whole.run(ctx, func(ctx context.Context) error {
		tx, err := db.pool.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := do(Statements{db: db, on: tx, repeat: never}); err != nil {
			if rollback := tx.Rollback(); !errors.Is(rollback, sql.ErrTxDone) {
				err = errors.Join(err, rollback)
			}
			return err
		}
		return tx.Commit()
	})
}
