package database_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
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

func TestKilledConnectionsAreReplaced(t *testing.T) {
	url := databasetest.Postgres(t)
	db := databasetest.Open(t, url, "things", migrations(1))
	underLoad(t, db, func() {
		for range 3 {
			databasetest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'things'`)
			time.Sleep(time.Second)
		}
	}, func(err error) { t.Errorf("not repeated: %v", err) })
}

// TestIdleConnectionsThatWereKilledAreReplaced has more of them than a statement
// is tried.
func TestIdleConnectionsThatWereKilledAreReplaced(t *testing.T) {
	url := databasetest.Postgres(t)
	db := databasetest.Open(t, databasetest.OverTCP(t, url), "things", migrations(1))
	for range 3 {
		underLoad(t, db, func() { time.Sleep(100 * time.Millisecond) }, func(err error) { t.Error(err) })
		databasetest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'things'`)
		if err := write(t.Context(), db, "three"); err != nil {
			t.Errorf("not repeated: %v", err)
		}
	}
}

func TestRestartIsAnOutage(t *testing.T) {
	url := databasetest.Postgres(t)
	db := databasetest.Open(t, url, "things", migrations(1))
	underLoad(t, db, func() { databasetest.Restart(t) }, func(err error) {
		want(t, "while the server restarts", err, "The service cannot reach its data")
	})
	if err := read(t.Context(), db); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestFrozenServerIsGivenUp(t *testing.T) {
	server := databasetest.NewSwitch(t, databasetest.Postgres(t))
	server.On()
	db := databasetest.Open(t, server.URL, "things", migrations(1))
	server.Freeze()
	begin := time.Now()
	var all sync.WaitGroup
	for range 12 { // more than there are connections
		all.Go(func() { want(t, "frozen", read(t.Context(), db), "did not answer in time") })
	}
	all.Wait()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("given up after %v", took)
	}
	server.Thaw()
	eventually(t, "after it", func() error { return read(t.Context(), db) })
}

// TestConnectionsToAMachineThatVanishedAreReplaced has idle connections of which
// nobody says that they lead nowhere.
func TestConnectionsToAMachineThatVanishedAreReplaced(t *testing.T) {
	server := databasetest.NewSwitch(t, databasetest.Postgres(t))
	server.On()
	db := databasetest.Open(t, server.URL, "things", migrations(1))
	underLoad(t, db, func() { time.Sleep(100 * time.Millisecond) }, func(err error) { t.Error(err) })
	time.Sleep(1100 * time.Millisecond) // A connection in use is not checked.
	server.Strand()
	if err := read(t.Context(), db); err != nil {
		t.Errorf("the first statement after it: %v", err)
	}
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
	begin := time.Now()
	want(t, "write", write(t.Context(), db, "x"), "The database is locked")
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("given up after %v", took)
	}
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

// TestWritersTakeTurns lets writers come while another one writes. None of them
// may wait for SQLite, whose lock goes to whoever asks at the right moment.
func TestWritersTakeTurns(t *testing.T) {
	db := databasetest.Open(t, databasetest.SQLite(t), "things", migrations(1))
	var all sync.WaitGroup
	var mu sync.Mutex
	var order []int
	err := db.Transaction(t.Context(), func(tx database.Statements) error {
		for i := range 64 {
			all.Go(func() {
				if err := write(t.Context(), db, time.Duration(i).String()); err != nil {
					t.Errorf("writer %d: %v", i, err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
		}
		time.Sleep(200 * time.Millisecond) // for all to come
		return read(t.Context(), db)       // which needs no turn
	})
	if err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if len(order) != 64 {
		t.Errorf("%d of 64 wrote", len(order))
	}
}

func TestSteadyLoadOpensNoConnections(t *testing.T) {
	url := databasetest.Postgres(t)
	db := databasetest.Open(t, url, "things", migrations(1))
	var sessions sync.Map
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for i := range 125 {
				time.Sleep(time.Duration(i%4) * time.Millisecond) // so that connections are idle now and then
				var pid int
				if err := db.Reads().QueryRowContext(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
					t.Error(err)
				}
				sessions.Store(pid, true)
			}
		})
	}
	all.Wait()
	n := 0
	sessions.Range(func(any, any) bool { n++; return true })
	if n > 5 {
		t.Errorf("2000 statements opened %d sessions, want at most 5", n)
	}
}

// TestChangedTableNeedsNoNewConnection lets another replica migrate.
func TestChangedTableNeedsNoNewConnection(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db, other := databasetest.Open(t, url, "things", migrations(1)), databasetest.Open(t, url, "things", migrations(1))
		for i, column := range []string{"", "a", "b"} {
			if column != "" {
				if _, err := other.ExecContext(t.Context(), `ALTER TABLE things ADD COLUMN `+column+` TEXT`); err != nil {
					t.Fatal(err)
				}
			}
			rows, err := db.Reads().QueryContext(t.Context(), `SELECT * FROM things`)
			if err != nil {
				t.Fatalf("after %d changes: %v", i, err)
			}
			for rows.Next() {
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				t.Fatalf("after %d changes: %v", i, err)
			}
		}
	})
}

func TestOpenWaits(t *testing.T) {
	url := databasetest.Postgres(t)
	user := "late_" + strings.ToLower(t.Name())
	for name, tc := range map[string]struct {
		url, says     string
		before, after func()
	}{
		"for a user": {
			url: strings.Replace(url, "user=shop", "user="+user, 1), says: "cannot be reached",
			before: func() {},
			after:  func() { databasetest.Exec(t, url, `CREATE ROLE `+user+` LOGIN SUPERUSER`) },
		},
		"for a primary": {
			url: url, says: "is read-only",
			before: func() { databasetest.ReadOnly(t, url, true) },
			after:  func() { databasetest.ReadOnly(t, url, false) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.before()
			db := database.New(databasetest.Source(t, tc.url), "things", migrations(1), slog.New(slog.DiscardHandler))
			opened := make(chan error, 1)
			go func() { opened <- db.Open(t.Context()) }()
			eventually(t, "Ready says what is waited for", func() error {
				if err := db.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "which "+tc.says) {
					return err
				}
				return nil
			})
			select {
			case err := <-opened:
				t.Fatal("opened early: ", err)
			case <-time.After(300 * time.Millisecond):
			}
			tc.after()
			if err := <-opened; err != nil {
				t.Fatal(err)
			}
			if err := db.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
