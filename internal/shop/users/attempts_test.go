package users

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

// record is the attempts of a test, which fail it when they cannot be noted.
type record struct {
	*testing.T
	*attempts
}

func newRecord(t *testing.T, url string) record {
	return record{t, &attempts{databasetest.Open(t, url, schema, migrations)}}
}

func (r record) history(p pair, now time.Time) history {
	r.Helper()
	h, err := r.of(r.Context(), p, now)
	if err != nil {
		r.Fatal(err)
	}
	return h
}

func (r record) fail(p pair, now time.Time) {
	r.Helper()
	if err := r.failed(r.Context(), p, r.history(p, now), now); err != nil {
		r.Fatal(err)
	}
}

func (r record) succeed(p pair, now time.Time) {
	r.Helper()
	if err := r.succeeded(r.Context(), p, r.history(p, now), now); err != nil {
		r.Fatal(err)
	}
}

var here, elsewhere = pair{"127.0.0.1", "ann@example.com"}, pair{"127.0.0.2", "ann@example.com"}

func TestARightPasswordForgetsFailures(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		r, now := newRecord(t, url), time.Now()
		want := func(failures int, known bool) {
			t.Helper()
			if h := r.history(here, now); h.failures != failures || h.isKnown(now) != known {
				t.Errorf("%+v; want %d failures, known %v", h, failures, known)
			}
		}
		want(0, false)
		r.fail(here, now.Add(-2*failuresKept))
		r.fail(here, now) // The one before is forgotten.
		want(1, false)
		r.succeed(here, now)
		want(0, true)
		r.fail(here, now)
		want(1, true)
		if h := r.history(elsewhere, now); h.failures != 0 || h.isKnown(now) {
			t.Errorf("another client: %+v", h)
		}
		now = now.Add(2 * failuresKept)
		want(0, true)
	})
}

// What strangers fail is counted for the account. Clients that are known to it do not
// count, and an hour without a failure ends it.
func TestFailuresOfStrangersAreCounted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		r, now := newRecord(t, url), time.Now()
		r.succeed(here, now)
		r.fail(here, now)
		for i := range 7 {
			r.fail(pair{fmt.Sprint("127.0.1.", i), here.account}, now)
		}
		r.fail(pair{"127.0.1.1", "bob@example.com"}, now)
		for _, p := range []pair{here, elsewhere} {
			if h := r.history(p, now); h.ofStrangers != 7 {
				t.Errorf("%v: %d failures of strangers, want 7", p, h.ofStrangers)
			}
		}
		if h := r.history(elsewhere, now.Add(2*failuresKept)); h.ofStrangers != 0 {
			t.Errorf("much later: %d failures of strangers", h.ofStrangers)
		}
	})
}

func TestOldAttemptsAreDeleted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		r, now := newRecord(t, url), time.Now()
		r.fail(here, now.Add(-2*failuresKept))
		r.succeed(elsewhere, now.Add(-2*knownFor))
		kept := pair{"127.0.0.3", "ann@example.com"}
		r.succeed(kept, now.Add(-2*failuresKept))
		r.fail(kept, now.Add(-2*failuresKept))
		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { r.purge(ctx) })
		left := 0
		for deadline := time.Now().Add(10 * time.Second); left != 1 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if err := r.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM login_attempts`).Scan(&left); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		work.Wait()
		if left != 1 || !r.history(kept, now).isKnown(now) {
			t.Errorf("%d rows are left, want that of the client that is known", left)
		}
	})
}
