package turns_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/koshop/koshop/internal/shop/turns"
)

// takeASecond takes a slot for a second, and returns how long it waited for it.
func takeASecond(t *testing.T, all *turns.Turns, at turns.Line) (waited time.Duration) {
	began := time.Now()
	giveBack, err := all.Take(t.Context(), at)
	if err != nil {
		t.Error(err)
		return 0
	}
	waited = time.Since(began)
	time.Sleep(time.Second)
	giveBack()
	return waited
}

// One who comes when a hundred of another client wait has the next turn but one, and so
// has one of the same client who asks about something else.
func TestTurns(t *testing.T) {
	for name, late := range map[string][2]string{"another client": {"b", "x"}, "another subject": {"a", "y"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := turns.New(1, 1000, 1000)
				var done sync.WaitGroup
				for range 100 {
					done.Go(func() { takeASecond(t, all, turns.Line{Client: "a", Subject: "x"}) })
				}
				synctest.Wait()
				if waited := takeASecond(t, all, turns.Line{Client: late[0], Subject: late[1]}); waited > 2*time.Second {
					t.Errorf("it waited %v", waited)
				}
				done.Wait()
			})
		})
	}
}

// A preferred client has the next slot but one although a hundred others wait, and a hundred
// preferred ones leave every second slot to the others.
func TestPreferredClients(t *testing.T) {
	for _, isPreferred := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			all := turns.New(1, 10, 10)
			var done sync.WaitGroup
			for i := range 100 {
				done.Go(func() { takeASecond(t, all, turns.Line{Client: fmt.Sprint(i), IsPreferred: !isPreferred}) })
			}
			synctest.Wait()
			if waited := takeASecond(t, all, turns.Line{Client: "a", IsPreferred: isPreferred}); waited > 2*time.Second {
				t.Errorf("preferred %v: it waited %v", isPreferred, waited)
			}
			done.Wait()
		})
	}
}

func TestTooManyForOneSubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := turns.New(1, 10, 2)
		giveBack, err := all.Take(t.Context(), turns.Line{Client: "a", Subject: "x"})
		if err != nil {
			t.Fatal(err)
		}
		var done sync.WaitGroup
		take := func(subject string) {
			giveBack, err := all.Take(t.Context(), turns.Line{Client: "a", Subject: subject})
			if err != nil {
				t.Error(subject, ": ", err)
				return
			}
			giveBack()
		}
		for range 2 {
			done.Go(func() { take("x") })
		}
		synctest.Wait()
		if _, err := all.Take(t.Context(), turns.Line{Client: "a", Subject: "x"}); !errors.Is(err, turns.ErrTooMany) {
			t.Errorf("a third one: %v", err)
		}
		done.Go(func() { take("y") })
		synctest.Wait()
		giveBack()
		done.Wait()
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := turns.New(1, 2, 2)
		check := func(when string, want turns.Stats) {
			t.Helper()
			if synctest.Wait(); all.Stats() != want {
				t.Errorf("%s: %+v, want %+v", when, all.Stats(), want)
			}
		}
		giveBack, err := all.Take(t.Context(), turns.Line{Client: "a", Subject: "x"})
		if err != nil {
			t.Fatal(err)
		}
		check("one", turns.Stats{Taken: 1})
		ctx, cancel := context.WithCancel(t.Context())
		next := make(chan func(), 1)
		go all.Take(ctx, turns.Line{Client: "a", Subject: "x"})
		check("two", turns.Stats{Taken: 1, Waiting: 1})
		go func() {
			giveBack, _ := all.Take(t.Context(), turns.Line{Client: "a", Subject: "x"})
			next <- giveBack
		}()
		check("three", turns.Stats{Taken: 1, Waiting: 2})
		all.Take(ctx, turns.Line{Client: "a", Subject: "x"})
		check("one is refused", turns.Stats{Taken: 1, Waiting: 2, Refused: 1})
		cancel()
		check("one leaves", turns.Stats{Taken: 1, Waiting: 1, Refused: 1})
		giveBack()
		check("the next one", turns.Stats{Taken: 1, Refused: 1})
		(<-next)()
		check("none", turns.Stats{Refused: 1})
	})
}

func TestTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := turns.New(1, 2, 2)
		giveBack, err := all.Take(t.Context(), turns.Line{Client: "a", Subject: "x"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			go func() {
				if _, err := all.Take(ctx, turns.Line{Client: "a", Subject: "x"}); !errors.Is(err, context.Canceled) {
					t.Errorf("error %v", err)
				}
			}()
		}
		synctest.Wait()
		if _, err := all.Take(ctx, turns.Line{Client: "a", Subject: "y"}); !errors.Is(err, turns.ErrTooMany) {
			t.Errorf("a third one of the client: %v", err)
		}
		cancel()
		synctest.Wait()
		giveBack()
		if _, err = all.Take(t.Context(), turns.Line{Client: "b", Subject: "x"}); err != nil {
			t.Error("those that gave up keep others from their turn: ", err)
		}
	})
}

// Whatever the order in which clients come, give up and go, no slot is lost or given
// twice.
func TestNoSlotIsLost(t *testing.T) {
	const slots = 3
	all := turns.New(slots, 8, 4)
	var mu sync.Mutex
	held := 0
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() {
			for range 200 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(300))*time.Microsecond)
				giveBack, err := all.Take(ctx, turns.Line{Client: fmt.Sprint(i % 4), Subject: fmt.Sprint(rand.IntN(3)), IsPreferred: i%3 == 0})
				if err == nil {
					mu.Lock()
					if held++; held > slots {
						t.Errorf("%d have a slot", held)
					}
					mu.Unlock()
					time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
					mu.Lock()
					held--
					mu.Unlock()
					giveBack()
				}
				cancel()
			}
		})
	}
	clients.Wait()
	for range slots {
		if _, err := all.Take(t.Context(), turns.Line{Client: "a", Subject: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	over, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := all.Take(over, turns.Line{Client: "a", Subject: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a slot too many: %v", err)
	}
}
