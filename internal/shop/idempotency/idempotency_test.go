package idempotency

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
)

func TestMain(m *testing.M) { os.Exit(databasetest.Main(m)) }

// thing is what requests create.
type thing struct{ ID, Name string }

func eachDatabase(t *testing.T, test func(t *testing.T, k *Keys)) {
	databasetest.Each(t, func(t *testing.T, url string) {
		test(t, &Keys{databasetest.Open(t, url, "orders", os.DirFS("../orders"))}) // which has the table
	})
}

var request = Request{User: "ann", Key: "k", Fingerprint: "f"}

// create makes a thing of the name.
func create(name string) func(context.Context, string) (thing, error) {
	return func(_ context.Context, id string) (thing, error) { return thing{id, name}, nil }
}

func (k *Keys) mustDo(t *testing.T, r Request, name string) thing {
	t.Helper()
	got, err := Do(t.Context(), k, r, create(name))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestARepeatedRequestHasTheFirstAnswer(t *testing.T) {
	eachDatabase(t, func(t *testing.T, k *Keys) {
		first := k.mustDo(t, request, "first")
		if again := k.mustDo(t, request, "second"); again != first {
			t.Errorf("got %+v, want %+v", again, first)
		}
		other := request
		other.Fingerprint = "other"
		if _, err := Do(t.Context(), k, other, create("other")); !fault.Is(err, fault.Invalid) {
			t.Errorf("another request with the key: %v", err)
		}
		for name, r := range map[string]Request{
			"another user": {"bob", "k", "other"}, "another key": {"ann", "k2", "other"}, "no key": {"ann", "", "f"},
		} {
			if got := k.mustDo(t, r, name); got.Name != name || got.ID == first.ID {
				t.Errorf("%s: %+v", name, got)
			}
		}
	})
}

func TestARequestIsCarriedOutOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, k *Keys) {
		started, goOn := make(chan struct{}), make(chan struct{})
		var first, others sync.WaitGroup
		first.Go(func() {
			_, err := Do(t.Context(), k, request, func(_ context.Context, id string) (thing, error) {
				close(started) // A second time would panic.
				<-goOn
				return thing{ID: id}, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-started
		for range 8 {
			others.Go(func() {
				if _, err := Do(t.Context(), k, request, create("second")); !fault.Is(err, fault.Conflict) {
					t.Errorf("while it is carried out: %v", err)
				}
			})
		}
		others.Wait()
		close(goOn)
		first.Wait()
	})
}

func TestAFailureIsNotKept(t *testing.T) {
	eachDatabase(t, func(t *testing.T, k *Keys) {
		ctx, hangUp := context.WithCancel(t.Context())
		var failed string
		failure := errors.New("a failure")
		_, err := Do(ctx, k, request, func(_ context.Context, id string) (thing, error) {
			failed = id
			hangUp()
			return thing{}, failure
		})
		if !errors.Is(err, failure) {
			t.Errorf("got %v", err)
		}
		if again := k.mustDo(t, request, "again"); again != (thing{failed, "again"}) {
			t.Errorf("got %+v, want the id %s", again, failed)
		}
	})
}

func TestARequestThatACrashInterruptedGoesOn(t *testing.T) {
	eachDatabase(t, func(t *testing.T, k *Keys) {
		e, err := k.begin(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		k.set(t, "busy_until", time.Now().Add(-time.Millisecond))
		var all sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for range 4 {
			all.Go(func() {
				got, err := Do(t.Context(), k, request, func(_ context.Context, id string) (thing, error) {
					mu.Lock()
					defer mu.Unlock()
					done++
					return thing{ID: id}, nil
				})
				if err != nil && !fault.Is(err, fault.Conflict) || err == nil && got.ID != e.id {
					t.Errorf("got %+v, %v; want the id %s", got, err, e.id)
				}
			})
		}
		all.Wait()
		if done != 1 {
			t.Errorf("it was carried out %d times", done)
		}
	})
}

// To find an answer carries nothing out.
func TestFind(t *testing.T) {
	eachDatabase(t, func(t *testing.T, k *Keys) {
		other := request
		other.Fingerprint = "other"
		find := func(what string, r Request, want fault.Code) {
			t.Helper()
			if got, err := Find[thing](t.Context(), k, r); fault.CodeOf(err) != want || err == nil && got.Name != "first" {
				t.Errorf("%s: %+v, %v", what, got, err)
			}
		}
		find("a new key", request, fault.NotFound)
		failure := errors.New("a failure")
		_, err := Do(t.Context(), k, request, func(context.Context, string) (thing, error) {
			find("while it is carried out", request, fault.Conflict)
			find("another one, meanwhile", other, fault.Invalid)
			return thing{}, failure
		})
		if !errors.Is(err, failure) {
			t.Error(err)
		}
		find("after a failure", request, fault.NotFound)
		find("another one after a failure", other, fault.Invalid)
		k.mustDo(t, request, "first")
		find("the same request", request, "")
		find("another request", other, fault.Invalid)
		k.set(t, "created_at", time.Now().Add(-kept))
		find("after a day", request, fault.NotFound)
		find("another one after a day", other, fault.NotFound)
	})
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	eachDatabase(t, func(t *testing.T, k *Keys) {
		first := k.mustDo(t, request, "first")
		k.set(t, "created_at", time.Now().Add(time.Minute-kept))
		if again := k.mustDo(t, request, "second"); again != first {
			t.Errorf("before the day is over: %+v", again)
		}
		k.set(t, "created_at", time.Now().Add(-kept))
		other := request
		other.Fingerprint = "other"
		if again := k.mustDo(t, other, "second"); again.Name != "second" || again.ID == first.ID {
			t.Errorf("after a day: %+v", again)
		}
	})
}

func TestOldKeysAreDeleted(t *testing.T) {
	eachDatabase(t, func(t *testing.T, k *Keys) {
		k.mustDo(t, request, "old")
		k.set(t, "created_at", time.Now().Add(-kept))
		fresh := request
		fresh.Key = "fresh"
		k.mustDo(t, fresh, "fresh")
		ctx, stop := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { k.Purge(ctx) })
		left := 2
		for deadline := time.Now().Add(10 * time.Second); left != 1 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if err := k.DB.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM idempotency_keys`).Scan(&left); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		work.Wait()
		if _, err := k.read(t.Context(), fresh); err != nil || left != 1 {
			t.Errorf("%d are left, %v", left, err)
		}
	})
}

// set sets a time of the request's key.
func (k *Keys) set(t *testing.T, column string, to time.Time) {
	t.Helper()
	changed, err := k.change(t.Context(), k.DB.Statements, `UPDATE idempotency_keys SET `+column+` = $1 WHERE user_id = $2 AND idempotency_key = $3`, to.UnixMilli(), request.User, request.Key)
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
}
