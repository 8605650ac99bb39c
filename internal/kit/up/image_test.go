//go:build unix

package up_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/backing/postgres"
	"github.com/koshop/koshop/internal/kit/up"
)

// databaseManifest is a database that keeps its data, and whose password only a
// cluster has.
const databaseManifest = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: database}
spec:
  serviceName: database
  selector: {matchLabels: {app: database}}
  template:
    metadata: {labels: {app: database}}
    spec:
      containers:
      - name: database
        image: docker.io/library/postgres:15
        env:
        - {name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: made, key: password}}}
        - {name: POSTGRES_INITDB_ARGS, value: --no-sync}
        readinessProbe: {exec: {command: [pg_isready, -h, localhost, -p, "5432"]}}
        volumeMounts: [{name: data, mountPath: /var/lib/postgresql/data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: database}
spec:
  clusterIP: None
  selector: {app: database}
  ports: [{port: 5432}]
`

// Two runs of one checkout do not write to the same claim: the second waits.
func TestADatabaseWaitsForItsClaim(t *testing.T) {
	if len(postgres.Installed(t.Context())) == 0 {
		t.Skip("PostgreSQL (initdb, postgres) is not installed")
	}
	if testing.Short() {
		t.Skip("slow: it is said after some seconds that a claim is waited for")
	}
	dir := newShop(t)
	writeDatabase(t, dir)
	onlyDatabase := func(o *up.Options) { o.Images, o.Workloads = backing.Programs, []string{"database"} }
	first := start(t, dir, onlyDatabase)
	first.prints("database: ready in")
	second := start(t, dir, onlyDatabase)
	second.prints("claim shop/data-database-0 is in use by another database")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second.prints("database: ready in")
}

// A database is run by the program of this machine: it and the program that uses
// it get the same password, and it keeps its data.
func TestRunsAnImage(t *testing.T) {
	if len(postgres.Installed(t.Context())) == 0 {
		t.Skip("PostgreSQL (initdb, postgres) is not installed")
	}
	dir := newShop(t)
	withDatabase := func(o *up.Options) {
		o.Images = backing.Programs
		o.Workloads = []string{"front", "database"}
	}
	writeDatabase(t, dir)
	r := start(t, dir, withDatabase)
	r.prints("database: ready in")
	if text := r.out.String(); !strings.Contains(text, " by postgresql ") || strings.Contains(text, "database is not run") {
		t.Error("it is not said what the database is")
	}
	password, err := os.ReadFile(filepath.Join(dir, ".ko/secrets/shop/made/password"))
	if err != nil {
		t.Fatal(err)
	}
	r.answers(r.service("front", "/env?name=PGPASSWORD"), string(password))
	if got := r.query("SELECT lo_from_bytea(42, 'kept')"); got != uint32(42) {
		t.Errorf("got %v", got)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if text := r.out.String(); !strings.Contains(text, "database system is shut down") {
		t.Error("the database was not shut down")
	}
	t.Setenv("PGPASSWORD", "of another database") // The kept one has its own.
	r = start(t, dir, withDatabase)
	if got := r.query("SELECT convert_from(lo_get(42), 'UTF8')"); got != "kept" {
		t.Errorf("the second start has %v", got)
	}
}

func writeDatabase(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "config/other.yaml"), []byte(databaseManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	front := filepath.Join(dir, "config/front.yaml")
	manifest, err := os.ReadFile(front)
	if err != nil {
		t.Fatal(err)
	}
	const variables = `        env:
        - {name: DATABASE_URL, value: "postgres://postgres@database/postgres?sslmode=disable"}
        - {name: PGPASSWORD, valueFrom: {secretKeyRef: {name: made, key: password}}}
`
	text := strings.Replace(string(manifest), "        env:\n", variables, 1)
	if err := os.WriteFile(front, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// query asks the database as front would.
func (r *run) query(statement string) any {
	r.t.Helper()
	var value any
	var failed error
	r.wait(func() bool {
		address, err := r.get(r.service("front", "/env?name=DATABASE_URL"))
		password, err2 := r.get(r.service("front", "/env?name=PGPASSWORD"))
		u, err3 := url.Parse(address)
		if failed = errors.Join(err, err2, err3); failed != nil {
			return false
		}
		u.User = url.UserPassword(u.User.Username(), password)
		connection, err := pgx.Connect(r.t.Context(), u.String())
		if failed = err; err != nil {
			return false
		}
		defer connection.Close(r.t.Context())
		failed = connection.QueryRow(r.t.Context(), statement).Scan(&value)
		return failed == nil
	}, func() string { return statement + ": " + failed.Error() })
	return value
}
