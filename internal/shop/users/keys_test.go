package users

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/shoptest"
	"github.com/koshop/koshop/internal/shop/token"
)

func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }

const period = 24 * time.Hour

// clock is a time that a test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newKeys(t *testing.T, url string, c *clock) *keys {
	return &keys{db: databasetest.Open(t, url, schema, migrations), rotation: period, now: c.now, log: shoptest.Log()}
}

func signingID(t *testing.T, k *keys) string {
	t.Helper()
	key, err := k.signing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return key.id
}

func publishedIDs(t *testing.T, k *keys) map[string]bool {
	t.Helper()
	set, err := k.published(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, key := range set.Keys {
		ids[key.ID] = true
	}
	return ids
}

func TestKeysRotate(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		c := &clock{time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
		k := newKeys(t, url, c)
		first := signingID(t, k)
		before := publishedIDs(t, k)

		c.Time = c.Add(12*time.Hour - time.Second)
		if got := signingID(t, k); got != first {
			t.Errorf("the key changed within its period")
		}
		c.Time = c.Add(2 * time.Second)
		second := signingID(t, k)
		if second == first || !before[second] {
			t.Errorf("%s signs after %s; it must be new and published before", second, first)
		}
		c.Time = c.Add(token.Lifetime)
		if ids := publishedIDs(t, k); !ids[first] {
			t.Error("a key is gone while its last token is valid")
		}
		c.Time = c.Add(time.Minute)
		if ids := publishedIDs(t, k); ids[first] || !ids[second] || len(ids) != 2 {
			t.Errorf("published %v, want %s and the next", ids, second)
		}
		c.Time = c.Add(10 * period)
		if third := signingID(t, k); third == second {
			t.Error("after a long pause an old key still signs")
		}
		c.Time = c.Add(period)
		signingID(t, k)
		var n int
		if err := k.db.QueryRowContext(t.Context(), `SELECT count(*) FROM signing_keys`).Scan(&n); err != nil || n > 4 {
			t.Errorf("%d keys are kept, %v", n, err)
		}
	})
}

// TestRotationChangesWhileTokensAreValid has replicas with two rotations on one
// database, as during the rollout of another KEY_ROTATION and ever after.
func TestRotationChangesWhileTokensAreValid(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		c := &clock{time.Date(2026, 1, 1, 12, 30, 0, 0, time.UTC)}
		slow, quick := newKeys(t, url, c), newKeys(t, url, c)
		quick.rotation = 2 * time.Hour
		valid := map[string]time.Time{} // by key: until when its tokens are
		for range 200 {
			for _, k := range []*keys{slow, quick} {
				id := signingID(t, k)
				if other := signingID(t, slow); other != id {
					t.Fatalf("at %v one replica signs by %s, another by %s", c.Time, id, other)
				}
				valid[id] = c.Add(token.Lifetime + token.Leeway)
				ids := publishedIDs(t, k)
				for id, until := range valid {
					if c.Before(until) && !ids[id] {
						t.Fatalf("at %v the key %s is gone; its tokens are valid until %v", c.Time, id, until)
					}
				}
			}
			c.Time = c.Add(7 * time.Minute)
		}
		if len(valid) < 10 {
			t.Errorf("%d keys signed within a day; they do not rotate", len(valid))
		}
		if n := len(publishedIDs(t, quick)); n > 6 {
			t.Errorf("%d keys are published", n)
		}
	})
}

func TestKeyOfAReplicaWhoseClockIsAhead(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		ahead := newKeys(t, url, &clock{now.Add(token.Leeway)})
		behind := newKeys(t, url, &clock{now})
		if a, b := signingID(t, ahead), signingID(t, behind); a != b {
			t.Errorf("one signs by %s, the other by %s", a, b)
		}
	})
}

func TestReplicasShareTheirKeys(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		c := &clock{time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
		replicas := []*keys{newKeys(t, url, c), newKeys(t, url, c), newKeys(t, url, c)}
		var (
			mu   sync.Mutex
			seen = map[string]bool{}
			all  sync.WaitGroup
		)
		for i := range 12 {
			all.Go(func() {
				key, err := replicas[i%3].signing(t.Context())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				seen[key.id] = true
			})
		}
		all.Wait()
		if len(seen) != 1 {
			t.Errorf("%d keys sign, want 1", len(seen))
		}
	})
}
