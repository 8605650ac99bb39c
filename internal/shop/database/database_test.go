package database_test

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/koshop/koshop/internal/shop/config"
	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

// openURL makes the test binary a process that opens the database and ends.
const openURL = "DATABASETEST_OPEN"

func TestMain(m *testing.M) {
	if url := os.Getenv(openURL); url != "" {
		if err := openOnce(url); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(databasetest.Main(m))
}

func open(ctx context.Context, s database.Source, schema string, files fs.FS, log *slog.Logger) (*database.DB, error) {
	db := database.New(s, schema, files, log)
	return db, db.Open(ctx)
}

func openOnce(url string) error {
	s, err := database.Parse(url)
	if err != nil {
		return err
	}
	db, err := open(context.Background(), s, "things", migrations(2), quiet())
	if err != nil {
		return err
	}
	return db.Close()
}

// migrations returns the first n of three; none of them can be applied twice.
func migrations(n int) fstest.MapFS {
	files := fstest.MapFS{}
	for i, sql := range []string{
		`CREATE TABLE things (id TEXT PRIMARY KEY); INSERT INTO things (id) VALUES ('one');`,
		`INSERT INTO things (id) VALUES ('two');`,
		`INSERT INTO things (id) VALUES ('three'); INSERT INTO nothing (id) VALUES ('fails');`,
	}[:n] {
		files["migrations/"+[]string{"0001_a.sql", "0002_b.sql", "0003_c.sql"}[i]] = &fstest.MapFile{Data: []byte(sql)}
	}
	return files
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func count(t *testing.T, src database.Source) (n int) {
	t.Helper()
	db, err := open(t.Context(), src, "things", migrations(0), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM things`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestProcessesThatStartAtOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), openURL+"="+url)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
		all.Wait()
		if n := count(t, databasetest.Source(t, url)); n != 2 {
			t.Errorf("%d rows, want the migrations applied once", n)
		}
	})
}

func TestMigrationsContinueWhereTheyEnded(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		src := databasetest.Source(t, url)
		for n := 1; n <= 2; n++ {
			db, err := open(t.Context(), src, "things", migrations(n), quiet())
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
		}
		_, err := open(t.Context(), src, "things", migrations(3), quiet())
		if err == nil || !strings.Contains(err.Error(), "0003_c.sql") {
			t.Errorf("the failing migration: %v", err)
		}
		if n := count(t, src); n != 2 {
			t.Errorf("%d rows, want nothing of the failed migration", n)
		}
	})
}

func TestSchemasAreApart(t *testing.T) {
	src := databasetest.Source(t, databasetest.Postgres(t))
	for _, schema := range []string{"one", "two"} {
		db, err := open(t.Context(), src, schema, migrations(1), quiet())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var got string
		if err := db.QueryRowContext(t.Context(), `SELECT current_schema()`).Scan(&got); err != nil || got != schema {
			t.Errorf("schema %q, %v; want %q", got, err, schema)
		}
	}
}

func TestParse(t *testing.T) {
	for value, want := range map[string]string{
		"sqlite:orders-svc.db":                "SQLite file orders-svc.db",
		"sqlite:/data/orders-svc.db":          "SQLite file /data/orders-svc.db",
		"sqlite:///data/orders-svc.db":        "SQLite file /data/orders-svc.db",
		"sqlite:////tmp/x.db":                 "SQLite file /tmp/x.db",
		"sqlite::memory:":                     "must name a file, such as sqlite:shop.db",
		"postgres://shop:secret@db/shop":      `PostgreSQL database "shop" on db:5432`,
		"postgresql://shop@db:5433/workshop":  `PostgreSQL database "workshop" on db:5433`,
		"mysql://shop@db/shop":                "must be sqlite:PATH or postgres://USER@HOST/NAME",
		"orders.db":                           "must be sqlite:PATH or postgres://USER@HOST/NAME",
		"sqlite:":                             "must name a file, such as sqlite:shop.db",
		"postgres://shop:secret@db:http/shop": "must be a PostgreSQL URL such as postgres://shop@postgres/shop",
	} {
		got, err := database.Parse(value)
		text := got.String()
		if err != nil {
			text = err.Error()
		}
		if text != want {
			t.Errorf("Parse(%q): %s, want %s", value, text, want)
		}
	}
}

func TestMissingDirectoryIsRefusedAtOnce(t *testing.T) {
	src := databasetest.Source(t, "sqlite:"+filepath.Join(t.TempDir(), "missing", "shop.db"))
	_, err := open(t.Context(), src, "things", migrations(1), quiet())
	if err == nil || !strings.Contains(err.Error(), "create the directory") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoDatabaseIsRefusedAtOnce(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{t.TempDir(), os.DevNull, text} {
		begin := time.Now()
		_, err := open(t.Context(), databasetest.Source(t, "sqlite:"+path), "things", migrations(1), quiet())
		if err == nil || !strings.Contains(err.Error(), "DATABASE_URL") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s: refused after %v", path, took)
		}
	}
}

func TestRefusalsDoNotRepeatPasswords(t *testing.T) {
	for _, value := range []string{
		"postgres://shop:se/cret@db/shop", "postgres://db/shop?user=shop&password=hunter2&sslmode=bogus", "host=db user=shop password=hunter2",
	} {
		t.Setenv("DATABASE_URL", value)
		var s database.Source
		set := config.New("things-svc", "keeps things.")
		s.Bind(set, "things-svc")
		err := set.Load()
		if err == nil || !strings.HasPrefix(err.Error(), "DATABASE_URL: must be ") {
			t.Fatalf("%s: %v", value, err)
		}
		for _, secret := range []string{"cret@", "hunter2", "se/"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the refusal tells the password: %v", value, err)
			}
		}
	}
}

func TestUnreachableIsWaitedForUntilToldToStop(t *testing.T) {
	src := databasetest.Source(t, "postgres://shop@127.0.0.1:1/shop")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var logged strings.Builder
	_, err := open(ctx, src, "things", migrations(1), slog.New(slog.NewTextHandler(&logged, nil)))
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1 is not reachable") {
		t.Errorf("got %v", err)
	}
	if n := strings.Count(logged.String(), "waiting for the database"); n < 2 {
		t.Errorf("%d tries logged, want at least 2:\n%s", n, logged.String())
	}
}

func TestFileNamesAreTakenAsTheyAre(t *testing.T) {
	file := filepath.Join(t.TempDir(), "50% of #1?.db")
	if err := openOnce("sqlite:" + file); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
