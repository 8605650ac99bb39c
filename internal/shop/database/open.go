package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"
)

const (
	patience    = time.Minute // how long Open waits for the database
	firstPause  = 100 * time.Millisecond
	longestWait = 5 * time.Second
)

// Open connects to the database and applies what is missing in the service's
// schema of the files migrations/*.sql. A PostgreSQL that is not up yet is waited
// for, about a minute: pods of one application start in any order.
func Open(ctx context.Context, s Source, schema string, files fs.FS, log *slog.Logger) (*sql.DB, error) {
	db, err := s.pool(schema)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := await(ctx, db, s, log); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := migrate(ctx, db, s.postgres != nil, schema, files); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate %v: %w", s, err), db.Close())
	}
	return db, nil
}

// await pings until the database answers or ctx ends.
func await(ctx context.Context, db *sql.DB, s Source, log *slog.Logger) error {
	for pause := firstPause; ; pause = min(2*pause, longestWait) {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		if !s.mayRecover(err) {
			return fmt.Errorf("open %v: %w; set DATABASE_URL to a database that this service may use", s, err)
		}
		log.WarnContext(ctx, "waiting for the database", "database", s.String(), "again_in", pause.String(), "error", err.Error())
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%v is not reachable: %w", s, err)
		}
	}
}
