package database_test

import (
	"log/slog"
	"testing"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/requestid"
	"github.com/koshop/koshop/internal/shop/shoptest/logs"
)

// What the log says of the database names a trace, also where no request is the reason.
func TestLinesOfHealthNameATrace(t *testing.T) {
	logged := &logs.Buffer{}
	log := slog.New(requestid.LogHandler(slog.NewTextHandler(logged, nil)))
	db, err := open(t.Context(), databasetest.Source(t, databasetest.SQLite(t)), "things", migrations(1), log)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Reads().ExecContext(t.Context(), `PRAGMA query_only = 1`); err != nil { // of the only connection
		t.Fatal(err)
	}
	want(t, "write", write(t.Context(), db, "x"), saysReadOnly)
	eventually(t, "ready again", func() error { return db.Ready(t.Context()) })
	if logged.Count("takes no writes") != 1 || logged.Count("takes writes again") != 1 || logged.Count("trace_id=") != 2 {
		t.Error(logged.String())
	}
}
