//go:build linux

package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
)

// mutant is a mistake in the code that tests must find.
type mutant struct {
	name     string
	file     string // below internal/shop
	text     string // it is there once
	mistake  string // what replaces it
	byFaults bool   // the fault suite itself must find it, on each database
}

var mutants = []mutant{
	{"a 404 after an unknown attempt is a refusal", "payments/cashier.go", `code == fault.NotFound && !unknown`, `code == fault.NotFound && (unknown || !unknown)`, true},
	{"a client's hang-up cancels settling", "payments/cashier.go", `detached := context.WithoutCancel(ctx)`, `detached := ctx`, true},
	// The parameter stays: PostgreSQL refuses a statement that leaves one out.
	{"a payment is settled whatever its status", "payments/store.go", `status = $3 WHERE id = $1 AND status = $2`, `status = $3 WHERE id = $1 AND $2 <> ''`, true},
	{"an order is marked paid whoever paid it", "orders/store.go",
		`WHERE id = $1 AND (status = 'pending' OR status = $2 AND COALESCE($3, payment_id, '') = COALESCE(payment_id, ''))`, `WHERE id = $1`, true},
	{"a payment is recorded after its order is marked", "payments/cashier.go", `	created, err := c.store.create(ctx, p)`,
		`	if _, err := c.markPaid(ctx, p, false); err != nil {
		return api.Payment{}, err
	}
	created, err := c.store.create(ctx, p)`, false},
	{"an order may have two paid payments", "payments/migrations/0002_one_paid_per_order.sql", `CREATE UNIQUE INDEX`, `CREATE INDEX`, false},
	{"a second payment is recorded for a paid order", "payments/store.go", `WHERE order_id = $3 AND status = 'paid')`, `WHERE order_id = $3 AND status = 'none')`, false},
	{"any amount pays", "payments/cashier.go", `*order.Amount != p.Amount`, `p.Amount == 0`, false},
	{"any user pays", "payments/cashier.go", `order.UserID != p.UserID`, `p.UserID == ""`, false},
	{"a key repeats any request", "idempotency/idempotency.go", `case e.fingerprint != r.Fingerprint:`, `case e.fingerprint == "":`, false},
	{"a repeated request has another id", "idempotency/idempotency.go", `run(ctx, e.id)`, `run(ctx, uuid.NewString())`, false},
	{"a payment left over is not claimed", "payments/store.go", `SET left_over = 1`, `SET left_over = 0`, false},
	{"a payment that was refused meanwhile is an answer", "payments/agree.go", `return c.reconcilePayment(ctx, order)
	case p.Status`, `return c.store.get(ctx, p.ID)
	case p.Status`, false},
}

// TestTheSuiteFindsMutants runs the tests of the packages on each mutant, and on each
// database the scenes that take little time.
func TestTheSuiteFindsMutants(t *testing.T) {
	if os.Getenv("MUTANTS") == "" {
		t.Skip("takes many minutes: see make mutants")
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MUTANT\tTESTS\tFAULTS ON SQLITE\tFAULTS ON POSTGRESQL")
	files := map[string]string{}
	for _, m := range mutants {
		files[m.name] = m.write(t)
		run(t, true, "", "build", "-overlay", files[m.name], "-o", t.TempDir(), "./cmd/orders-svc", "./cmd/payments-svc")
	}
	for _, m := range mutants {
		file := files[m.name]
		tests := !run(t, false, "", "test", "-vet=off", "-count=1", "-overlay", file, "./internal/shop/payments", "./internal/shop/orders", "./internal/shop/idempotency")
		faults := func(database string) bool {
			return !run(t, false, file, "test", "-vet=off", "-count=1", "-run=^TestFaults$/^"+database+"$/^(lost_answers|orders_set_back)$", "./internal/shop/chaos")
		}
		sqlite, postgres := faults("sqlite"), faults("postgres")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.name, found(tests), found(sqlite), found(postgres))
		if m.byFaults && !(sqlite && postgres) || !tests && !sqlite && !postgres {
			t.Errorf("not found: %s", m.name)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", table.String())
}

func found(yes bool) string {
	if yes {
		return "found"
	}
	return "not found"
}

// write writes the file with the mistake, and returns a file for -overlay.
func (m mutant) write(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.text); n != 1 {
		t.Fatalf("%s: %q is %d times in %s, want once", m.name, m.text, n, m.file)
	}
	return overlayOf(t, m.file, []byte(strings.Replace(string(text), m.text, m.mistake, 1)))
}

// overlayOf returns a file for -overlay that replaces the text of a file below
// internal/shop.
func overlayOf(t *testing.T, file string, text []byte) string {
	t.Helper()
	original, err := filepath.Abs(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	mutated := filepath.Join(t.TempDir(), filepath.Base(file))
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	list := mutated + ".json"
	for name, content := range map[string][]byte{mutated: text, list: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// run runs the go command and reports whether it succeeded. If it failed although no
// test did, the mutant is not the reason.
func run(t *testing.T, must bool, overlaid string, args ...string) bool {
	t.Helper()
	ok, out := goTool(t, overlaid, args...)
	if !ok && (must || !strings.Contains(out, "--- FAIL")) {
		t.Fatalf("go %v:\n%s", args, out)
	}
	return ok
}

// goTool runs the go command in the module's root. It returns whether it succeeded,
// and what it printed.
func goTool(t *testing.T, overlaid string, args ...string) (ok bool, printed string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = filepath.Join("..", "..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath", "MUTANTS=", overlay+"="+overlaid)
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd, err)
	}
	return err == nil, string(out)
}
