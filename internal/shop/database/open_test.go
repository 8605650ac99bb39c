package database_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

func TestOpenWaits(t *testing.T) {
	for name, tc := range map[string]struct {
		says    string
		prepare func(t *testing.T) (url string, end func()) // end is what is waited for
	}{
		"for a user": {"cannot be reached", func(t *testing.T) (string, func()) {
			url := databasetest.Postgres(t)
			return strings.Replace(url, "user=shop", "user=late", 1), func() { databasetest.Exec(t, url, `CREATE ROLE late LOGIN SUPERUSER`) }
		}},
		"for a primary": {"is read-only", func(t *testing.T) (string, func()) {
			url := databasetest.Postgres(t)
			databasetest.ReadOnly(t, url, true)
			return url, func() { databasetest.ReadOnly(t, url, false) }
		}},
		"for space": {"is full", func(t *testing.T) (string, func()) {
			dir := databasetest.SmallDisk(t)
			return "sqlite:" + filepath.Join(dir, "shop.db"), databasetest.Fill(t, dir)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			url, end := tc.prepare(t)
			db := database.New(databasetest.Source(t, url), "things", migrations(1), quiet())
			opened := make(chan error, 1)
			go func() { opened <- db.Open(t.Context()) }()
			eventually(t, "Ready says what is waited for", func() error {
				if err := db.Ready(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "waits for its database, which "+tc.says) {
					return fmt.Errorf("%w, want %q", err, tc.says)
				}
				return nil
			})
			select {
			case err := <-opened:
				t.Fatal("opened early: ", err)
			case <-time.After(300 * time.Millisecond):
			}
			end()
			if err := <-opened; err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.Ready(t.Context()), db.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}
