package database_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
)

const (
	insert = `INSERT INTO things (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`

	saysFull     = "its database is full"
	saysReadOnly = "its database is read-only"
)

// want fails the test unless the error is the fault that a client may be told,
// with such a detail.
func want(t *testing.T, what string, err error, detail string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Unavailable || !strings.Contains(f.Detail, detail) {
		t.Errorf("%s: %v; want %q", what, err, detail)
	}
}

func read(ctx context.Context, db *database.DB) error {
	var id string
	return db.Reads().QueryRowContext(ctx, `SELECT id FROM things WHERE id = 'one'`).Scan(&id)
}

func write(ctx context.Context, db *database.DB, id string) error {
	_, err := db.Repeatable().ExecContext(ctx, insert, id)
	return err
}

// eventually waits until the function succeeds.
func eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// underLoad reads and writes in several goroutines while the function runs.
// Every error goes to the function failed.
func underLoad(t *testing.T, db *database.DB, do func(), failed func(err error)) {
	t.Helper()
	var all sync.WaitGroup
	var stop atomic.Bool
	for range 8 {
		all.Go(func() {
			for !stop.Load() {
				for _, err := range []error{read(t.Context(), db), write(t.Context(), db, "two")} {
					if err != nil {
						failed(err)
					}
				}
			}
		})
	}
	do()
	stop.Store(true)
	all.Wait()
}

func TestReadOnlyServer(t *testing.T) {
	url := databasetest.Postgres(t)
	db := databasetest.Open(t, url, "things", migrations(1))
	databasetest.ReadOnly(t, url, true)
	want(t, "write", write(t.Context(), db, "x"), saysReadOnly)
	want(t, "ready", db.Ready(t.Context()), saysReadOnly)
	if err := read(t.Context(), db); err != nil {
		t.Errorf("read: %v", err)
	}
	databasetest.ReadOnly(t, url, false)
	eventually(t, "ready again", func() error { return db.Ready(t.Context()) })
	if err := write(t.Context(), db, "x"); err != nil {
		t.Errorf("write again: %v", err)
	}
}

// TestReadOnlyIsNoticedWithoutWrites has no request that would notice it.
func TestReadOnlyIsNoticedWithoutWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	db := databasetest.Open(t, databasetest.SQLite(t), "things", migrations(1))
	if err := db.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Reads().ExecContext(t.Context(), `PRAGMA query_only = 1`); err != nil { // of the only connection
		t.Fatal(err)
	}
	eventually(t, "Ready tells", func() error {
		if err := db.Ready(t.Context()); err == nil {
			return errors.New("ready")
		} else {
			want(t, "ready", err, saysReadOnly)
			return nil
		}
	})
}

func TestFullDisk(t *testing.T) {
	dir := databasetest.SmallDisk(t)
	db := databasetest.Open(t, "sqlite:"+filepath.Join(dir, "shop.db"), "things", migrations(1))
	release := databasetest.Fill(t, dir)
	fillUp(t, db)
	want(t, "ready", db.Ready(t.Context()), saysFull)
	if err := read(t.Context(), db); err != nil {
		t.Errorf("read: %v", err)
	}
	release()
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("ready again: %v", err)
	}
	if err := write(t.Context(), db, "last"); err != nil {
		t.Errorf("write again: %v", err)
	}
}

func TestFullTablespace(t *testing.T) {
	url, dir := databasetest.Postgres(t), databasetest.SmallDisk(t)
	databasetest.Exec(t, url, `CREATE TABLESPACE small LOCATION '`+dir+`'`)
	db := databasetest.Open(t, url, "things", migrations(1))
	databasetest.Exec(t, url, `ALTER TABLE things.things SET TABLESPACE small; ALTER TABLE things.write_probe SET TABLESPACE small`)
	t.Cleanup(func() {
		databasetest.Exec(t, url, `DROP SCHEMA things CASCADE`)
		databasetest.Exec(t, url, `DROP TABLESPACE small`)
	})
	release := databasetest.Fill(t, dir)
	fillUp(t, db)
	want(t, "ready", db.Ready(t.Context()), saysFull)
	if err := read(t.Context(), db); err != nil {
		t.Errorf("read: %v", err)
	}
	release()
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("ready again: %v", err)
	}
}

// fillUp writes until the database is full.
func fillUp(t *testing.T, db *database.DB) {
	t.Helper()
	for i := range 1000 {
		if err := write(t.Context(), db, strings.Repeat("x", 1000)+time.Duration(i).String()); err != nil {
			want(t, "write", err, saysFull)
			return
		}
	}
	t.Fatal("it never becomes full")
}
