package database

import (
	"context"
	"fmt"
	"io/fs"
	"time"
)

// tables are the package's own: the migrations that were applied, and the row
// that Ready writes.
const tables = `
	CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at BIGINT NOT NULL);
	CREATE TABLE IF NOT EXISTS write_probe (id BIGINT PRIMARY KEY, filler TEXT NOT NULL);`

// migrate applies the files migrations/*.sql that schema_migrations does not
// list, in the order of their names, in one transaction: all of them or none.
//
// Replicas that start at once take turns: SQLite's transaction is immediate,
// PostgreSQL's takes an advisory lock. (The usual migration libraries have no
// lock for SQLite, and run each file in a transaction of its own.)
func (db *DB) migrate(ctx context.Context) error {
	return db.Transaction(ctx, func(tx Statements) error {
		if db.source.postgres != nil {
			if err := ownSchema(ctx, tx, db.schema); err != nil {
				return err
			}
		}
		done, err := applied(ctx, tx)
		if err != nil {
			return err
		}
		names, err := fs.Glob(db.files, "migrations/*.sql")
		if err != nil {
			return err
		}
		for _, name := range names {
			if !done[name] {
				if err := apply(ctx, tx, db.files, name); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
		return nil
	})
}

// ownSchema makes sure the schema exists, after the lock that lasts until the
// transaction ends. The schema is a constant of its service.
func ownSchema(ctx context.Context, tx Statements, schema string) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext($1))`, "migrate "+schema); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+schema); err != nil {
		return fmt.Errorf("create schema %s: %w", schema, err)
	}
	return nil
}

func applied(ctx context.Context, tx Statements) (map[string]bool, error) {
	if _, err := tx.ExecContext(ctx, tables); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT name FROM schema_migrations`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	done := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		done[name] = true
	}
	return done, rows.Err()
}

func apply(ctx context.Context, tx Statements, files fs.FS, name string) error {
	statements, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, string(statements)); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO schema_migrations (name, applied_at) VALUES ($1, $2)`, name, time.Now().UnixMilli())
	return err
}
