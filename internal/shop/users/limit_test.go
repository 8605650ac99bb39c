package users

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/shoptest"
)

func TestGuessingIsSlowedAndLocksNoOwnerOut(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		replicas := []string{start(t, url), start(t, url)}
		shoptest.Do(t, "POST", replicas[0]+"/users", "", ann).Want(t, 200)
		guesser, owner := clientAt(t, "127.0.0.2"), clientAt(t, "127.0.0.3")
		for _, email := range []string{"ann@example.com", "nobody@example.com"} {
			for i := range freeFailures {
				guesser.logIn(replicas[i%2], email, "guess").want(t, 401)
			}
			for _, base := range replicas {
				got := guesser.logIn(base, strings.ToUpper(email), "guess")
				for i := 0; got.StatusCode == 401 && i < 5; i++ { // The pause of a second was over; the next is longer.
					got = guesser.logIn(base, strings.ToUpper(email), "guess")
				}
				got.want(t, 429)
				if after, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || after < 1 {
					t.Errorf("%s: Retry-After %d, %v", email, after, err)
				}
			}
		}
		owner.logIn(replicas[1], "ann@example.com", "xxxxxxxx").want(t, 200)
	})
}

// Many clients that guess together are slowed, too: each of them has one attempt. One that
// has not failed gets in, and so does one that is known.
func TestManyClientsThatGuessAreSlowed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		base, r := start(t, url), newRecord(t, url)
		shoptest.Do(t, "POST", base+"/users", "", ann).Want(t, 200)
		known, guesser, stranger := clientAt(t, "127.0.0.3"), clientAt(t, "127.0.0.2"), clientAt(t, "127.0.0.4")
		known.logIn(base, "ann@example.com", "xxxxxxxx").want(t, 200)
		for i := range manyFailures {
			r.fail(pair{fmt.Sprint("192.0.2.", i), "ann@example.com"}, time.Now())
		}
		guesser.logIn(base, "ann@example.com", "guess").want(t, 401)
		got := guesser.logIn(base, "ann@example.com", "guess").want(t, 429)
		if after, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || after < 55 {
			t.Errorf("Retry-After %d, %v; want about a minute", after, err)
		}
		known.logIn(base, "ann@example.com", "guess").want(t, 401)
		known.logIn(base, "ann@example.com", "xxxxxxxx").want(t, 200)
		stranger.logIn(base, "ann@example.com", "xxxxxxxx").want(t, 200)
	})
}

func TestLimitOfAClient(t *testing.T) {
	l := newLimit(60)
	for range clientBurst {
		if err := l.take(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	var refused *fault.Error
	err := l.take(t.Context(), "a")
	if !errors.As(err, &refused) || refused.Code != fault.TooMany || refused.RetryAfter <= 0 || refused.RetryAfter > time.Second {
		t.Errorf("one more than a burst: %+v", refused)
	}
	if err := l.take(t.Context(), "b"); err != nil {
		t.Errorf("another client: %v", err)
	}
}

// The headers are there whatever the answer is, and do not tell whether somebody at the same
// address has logged in to the account.
func TestLimitIsTold(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		base := startWith(t, url, 1)
		neighbour, curious := clientAt(t, "127.0.0.4"), clientAt(t, "127.0.0.4")
		neighbour.signUp(base, "ann@example.com").want(t, 200)
		for i, email := range []string{"ann@example.com", "nobody@example.com"} {
			got := curious.logIn(base, email, "guess").want(t, 401)
			// One is for signing up. A pause takes none.
			left := fmt.Sprintf(`"passwords";r=%d`, clientBurst-2-i*freeFailures)
			for name, want := range map[string]string{"RateLimit-Policy": `"passwords";q=100;w=6000`, "RateLimit": left} {
				if value := got.Header.Get(name); !strings.HasPrefix(value, want) {
					t.Errorf("%s: %s: %s, want %s", email, name, value, want)
				}
			}
			for range freeFailures - 1 {
				curious.logIn(base, email, "guess").want(t, 401)
			}
			if got := curious.logIn(base, email, "guess").want(t, 429); got.Header.Get("RateLimit") == "" {
				t.Errorf("%s: a pause has no header RateLimit", email)
			}
		}
	})
}

// A client that has had too many passwords checked learns no more of an account to which a
// neighbour has logged in than of another one; the neighbour still gets in.
func TestOverdrawn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		base := startWith(t, url, 1)
		neighbour, curious := clientAt(t, "127.0.0.4"), clientAt(t, "127.0.0.4")
		neighbour.signUp(base, "ann@example.com").want(t, 200)
		for range clientBurst - 1 { // An address that is taken costs no hash.
			curious.signUp(base, "ann@example.com").want(t, 400)
		}
		known, unknown := curious.logIn(base, "ann@example.com", "guess").want(t, 429), curious.logIn(base, "nobody@example.com", "guess").want(t, 429)
		if known.body != unknown.body {
			t.Errorf("of an account that is known: %s, of another one: %s", known.body, unknown.body)
		}
		neighbour.logIn(base, "ann@example.com", "xxxxxxxx").want(t, 200)
	})
}
