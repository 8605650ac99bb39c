package database_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

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
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("given up after %v", took)
	}
	server.Thaw()
	eventually(t, "after it", func() error { return read(t.Context(), db) })
}

// TestConnectionsToAMachineThatVanishedAreReplaced has idle connections of which
// nobody says that they lead nowhere.
func TestConnectionsToAMachineThatVanishedAreReplaced(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
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
