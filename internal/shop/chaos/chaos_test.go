//go:build linux

package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

const (
	usualAttempts = 2000 // payments that are attempted on each database
	perRound      = 2000 // at most, before everything begins anew with empty databases
)

func TestMain(m *testing.M) {
	code := databasetest.Main(m)
	if err := os.RemoveAll(programs.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// scenes are what happens to a shop, with their shares of the attempts in percent.
var scenes = []struct {
	name  string
	share int
	play  func(t *testing.T, s scene)
}{
	{"lost answers", 30, lostAnswers},
	{"orders set back", 30, ordersSetBack},
	{"a bad day", 40, badDay},
}

// scene is what a scene starts from.
type scene struct {
	newURL   func(testing.TB) string // of an empty database
	attempts int
	random   func() *rand.Rand // a new generator for each part
}

func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make chaos")
	}
	seed := setting(t, "CHAOS_SEED", uint64(time.Now().UnixNano())%1_000_000)
	attempts := int(setting(t, "CHAOS_ATTEMPTS", usualAttempts))
	t.Logf("CHAOS_SEED=%d CHAOS_ATTEMPTS=%d", seed, attempts)
	for _, kind := range []struct {
		name   string
		newURL func(testing.TB) string
	}{{"sqlite", newSQLite}, {"postgres", databasetest.Postgres}} {
		t.Run(kind.name, func(t *testing.T) {
			random := generators(seed)
			for left := attempts; left > 0 && !t.Failed(); left -= perRound {
				for _, sc := range scenes {
					t.Run(sc.name, func(t *testing.T) {
						sc.play(t, scene{kind.newURL, max(1, min(left, perRound)*sc.share/100), random})
					})
				}
			}
		})
	}
}

// newSQLite returns the URL of a new file in memory, if there is such a file system:
// processes are killed here, the machine is not, and disks may be slow.
func newSQLite(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "chaos")
	if err != nil {
		return databasetest.SQLite(t)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return "sqlite:" + filepath.Join(dir, "shop.db")
}

// generators returns a function that returns generators which follow from the seed.
func generators(seed uint64) func() *rand.Rand {
	n := uint64(0)
	return func() *rand.Rand {
		n++
		return rand.New(rand.NewPCG(seed, n))
	}
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, usual uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
