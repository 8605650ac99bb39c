//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
)

// The staging overlay runs whole where PostgreSQL is installed: the user flow
// works, a second start finds the orders in the database, also after kill -9,
// and nothing is left running.
func TestUpWithPostgreSQL(t *testing.T) {
	needPostgreSQL(t)
	resolveLocalhost()
	state := t.TempDir()
	staging := func() *laptop {
		l := runUp(t, repository, state, "kustomize/overlays/staging")
		for _, service := range services {
			l.answers(t, service, "/readyz", http.StatusOK)
		}
		return l
	}
	first := staging()
	receipt, err := first.shop().Walk(t.Context(), uuid.NewString()+"@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := first.end(t, syscall.SIGINT); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	if left := processesOf(t, state); len(left) > 0 {
		t.Errorf("Ctrl-C left %q", left)
	}
	second := staging()
	if err := second.shop().Check(t.Context(), receipt); err != nil {
		t.Errorf("the second start: %v", err)
	}
	if running := strings.Join(processesOf(t, state), "\n"); !strings.Contains(running, "postgres") {
		t.Errorf("PostgreSQL is not among the processes:\n%s", running)
	}
	second.end(t, syscall.SIGKILL)
	eventually(t, "kill -9 leaves nothing", func(context.Context) error {
		if left := processesOf(t, state); len(left) > 0 {
			return fmt.Errorf("left: %q", left)
		}
		return nil
	})
	third := staging()
	if err := third.shop().Check(t.Context(), receipt); err != nil {
		t.Errorf("the start after kill -9: %v", err)
	}
	password := filepath.Join(state, "secrets/api/postgres/password")
	if info, err := os.Stat(password); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password: %v, %v, want a file that only we can read", info, err)
	}
}

func needPostgreSQL(t *testing.T) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("initdb"); err != nil && len(found) == 0 {
		t.Skip("PostgreSQL is not installed: initdb is neither on PATH nor in /usr/lib/postgresql/*/bin")
	}
}
