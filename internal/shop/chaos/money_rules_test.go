//go:build linux

package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// moneyRules returns the files, below internal/shop, which decide who pays what for
// which order, and how often: those of payments-svc and orders-svc, apart from what
// they offer over HTTP and what they count.
func moneyRules(t *testing.T) (files []string) {
	t.Helper()
	for _, dir := range []string{"payments", "orders"} {
		entries, err := os.ReadDir(filepath.Join("..", dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := e.Name()
			if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && name != "service.go" && name != "metrics.go" {
				files = append(files, dir+"/"+name)
			}
		}
	}
	return files
}

// outcome is what the tests say about a mistake.
type outcome string

const (
	killed   outcome = "killed"
	survived outcome = "survived"
	invalid  outcome = "not compiled"
)

// tally counts mistakes by their outcome.
type tally struct {
	mu    sync.Mutex
	count map[outcome]int
	left  []string // the mistakes that survived
}

// TestMutantsOfTheMoneyRules makes every mistake that mutate knows in the files with
// the rules about money, and runs the tests of the package on each. It prints those
// that no test finds: a person has to tell whether a test is missing, or whether the
// program does the same as before.
func TestMutantsOfTheMoneyRules(t *testing.T) {
	if os.Getenv("MUTANTS") == "" {
		t.Skip("takes many minutes: see make mutants")
	}
	all := tally{count: map[outcome]int{}}
	t.Run("each", func(t *testing.T) {
		for _, file := range moneyRules(t) {
			t.Run(file, func(t *testing.T) { all.try(t, file) })
		}
	})
	t.Logf("%d mutants compiled, %d killed, %d survived:\n%s", all.count[killed]+all.count[survived], all.count[killed], all.count[survived], strings.Join(all.left, "\n"))
}

// try makes the mistakes in a file, some at a time.
func (all *tally) try(t *testing.T, file string) {
	src, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	changes, err := mutate(file, src)
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) == 0 {
		t.Fatalf("there is nothing to change in %s", file)
	}
	if got, by := tests(t, filepath.Dir(file), overlayOf(t, file, src)); got != survived {
		t.Fatalf("without a mistake: %s %s", got, by)
	}
	for i, c := range changes {
		t.Run(fmt.Sprintf("%d:%d", c.line, i), func(t *testing.T) {
			t.Parallel()
			got, by := tests(t, filepath.Dir(file), overlayOf(t, file, c.apply(src)))
			t.Logf("%s %s: %s\n%s", got, by, c.kind, c.diff(src))
			all.mu.Lock()
			defer all.mu.Unlock()
			all.count[got]++
			if got == survived {
				all.left = append(all.left, fmt.Sprintf("%s:%d: %s\n%s", file, c.line, c.kind, c.diff(src)))
			}
		})
	}
}

// failed matches the line of a test that failed.
var failed = regexp.MustCompile(`--- FAIL: (\S+)|panic: (test timed out)`)

// tests runs the short tests of a package, first without PostgreSQL, which takes
// longer to start. It returns the test that found the mistake.
func tests(t *testing.T, dir, overlay string) (got outcome, by string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tests")
	if ok, _ := goTool(t, "", "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", program, "-overlay", overlay, "./internal/shop/"+dir); !ok {
		return invalid, ""
	}
	for _, without := range []string{"postgres", "sqlite"} {
		cmd := exec.CommandContext(t.Context(), program, "-test.short", "-test.failfast", "-test.timeout=2m", "-test.skip=/^"+without+"$")
		cmd.Dir = filepath.Join("..", dir)
		out, err := cmd.CombinedOutput()
		if err == nil {
			continue
		}
		found := failed.FindStringSubmatch(string(out))
		if found == nil {
			t.Fatalf("the tests ended without a result: %v\n%s", err, out)
		}
		return killed, "by " + found[1] + found[2]
	}
	return survived, ""
}
