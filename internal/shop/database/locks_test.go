package database_test

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

func TestLockedFile(t *testing.T) {
	url := databasetest.SQLite(t)
	db := databasetest.Open(t, url, "things", migrations(1))
	other, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	want(t, "write", write(t.Context(), db, "x"), "The database is locked")
	if err := read(t.Context(), db); err != nil {
		t.Errorf("read: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), db, "x"); err != nil {
		t.Errorf("write again: %v", err)
	}
}

func TestLockedTable(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	url := databasetest.Postgres(t)
	db := databasetest.Open(t, url, "things", migrations(1))
	release := make(chan struct{})
	var other sync.WaitGroup
	locked := make(chan struct{})
	other.Go(func() {
		err := db.Transaction(t.Context(), func(tx database.Statements) error {
			_, err := tx.ExecContext(t.Context(), `LOCK TABLE things`)
			close(locked)
			<-release
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-locked
	want(t, "write", write(t.Context(), db, "x"), "did not answer in time")
	close(release)
	other.Wait()
	if err := write(t.Context(), db, "x"); err != nil {
		t.Errorf("write again: %v", err)
	}
}

// TestWritersTakeTurns lets many writers come while another one writes. They wait
// for their turn, not for SQLite, whose lock goes to whoever asks at the right
// moment, and hold no connection meanwhile.
func TestWritersTakeTurns(t *testing.T) {
	const writers, rows = 16, 20 // With many more writers, a slow disk keeps the last one waiting for too long.
	db := databasetest.Open(t, databasetest.SQLite(t), "things", migrations(1))
	var all sync.WaitGroup
	err := db.Transaction(t.Context(), func(database.Statements) error {
		for writer := range writers {
			all.Go(func() {
				for i := range rows {
					if err := write(t.Context(), db, fmt.Sprint(writer, "-", i)); err != nil {
						t.Errorf("writer %d: %v", writer, err)
					}
				}
			})
		}
		time.Sleep(200 * time.Millisecond) // for all to come
		return read(t.Context(), db)
	})
	if err != nil {
		t.Fatal(err)
	}
	all.Wait()
	var n int
	if err := db.Reads().QueryRowContext(t.Context(), `SELECT count(*) FROM things`).Scan(&n); err != nil || n != 1+writers*rows {
		t.Errorf("%d rows, %v; want %d", n, err, 1+writers*rows)
	}
}
