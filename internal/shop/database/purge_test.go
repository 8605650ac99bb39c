package database_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest/logs"
)

// rows are a table with 2,500 old rows and a new one.
var rows = fstest.MapFS{"migrations/0001_rows.sql": &fstest.MapFile{Data: []byte(`
	CREATE TABLE rows_of_time (a BIGINT NOT NULL, b BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (a, b));
	INSERT INTO rows_of_time (a, b, at)
	WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT i, i, 0 FROM n;
	INSERT INTO rows_of_time (a, b, at) VALUES (1, 2, 4000000000000);`)}}

// purge deletes the old ones.
func purge(table string) database.Purge {
	return database.Purge{
		Table: table, Key: "a, b", Where: "at < $1", Every: 20 * time.Millisecond,
		Args: func(now time.Time) []any { return []any{now.UnixMilli()} },
	}
}

func openRows(t *testing.T, url string) (*database.DB, *logs.Buffer) {
	t.Helper()
	logged := &logs.Buffer{}
	db, err := open(t.Context(), databasetest.Source(t, url), "things", rows, slog.New(slog.NewTextHandler(logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, logged
}

func TestOldRowsAreDeletedInPieces(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db, logged := openRows(t, url)
		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { db.Purge(ctx, purge("rows_of_time")) })
		eventually(t, "old rows", func() error {
			var n int
			err := db.Reads().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM rows_of_time`).Scan(&n)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d rows are left", n)
			}
			return err
		})
		stop()
		work.Wait()
		var at int64
		if err := db.QueryRowContext(t.Context(), `SELECT at FROM rows_of_time`).Scan(&at); err != nil || at != 4000000000000 {
			t.Errorf("the row of %d is left, %v", at, err)
		}
		if logged.Count("old rows") > 0 {
			t.Error(logged.String())
		}
	})
}

// A purge that fails every few milliseconds does not fill the log.
func TestAFailingPurgeIsLoggedOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db, logged := openRows(t, url)
		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { db.Purge(ctx, purge("later")) })
		eventually(t, "the failure", func() error {
			if logged.Count("cannot delete old rows") == 0 {
				return fmt.Errorf("nothing is logged")
			}
			return nil
		})
		time.Sleep(200 * time.Millisecond) // several rounds
		if _, err := db.ExecContext(t.Context(), `CREATE TABLE later (a BIGINT, b BIGINT, at BIGINT)`); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the end of the failure", func() error {
			if logged.Count("old rows are deleted again") == 0 {
				return fmt.Errorf("nothing is logged")
			}
			return nil
		})
		stop()
		work.Wait()
		if n := logged.Count("cannot delete"); n != 1 || logged.Count("again") != 1 {
			t.Errorf("%d lines: %s", n, logged.String())
		}
	})
}
