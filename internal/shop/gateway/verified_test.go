package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A token that was verified is believed again, while it is valid and its key is
// user-svc's.
func TestVerifiedTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1", "k2")
		v := i.verifier(t)
		short := func(c jwt.MapClaims, _ *jwt.Token) { c["exp"] = time.Now().Add(10 * time.Minute).Unix() }
		soon, later, other := i.sign(t, "k1", short), i.sign(t, "k1", nil), i.sign(t, "k2", nil)
		verify := func(raw string, want error) {
			t.Helper()
			if user, err := v.verify(t.Context(), raw); !errors.Is(err, want) || err == nil && user != "ann" {
				t.Errorf("%s, %v; want %v", user, err, want)
			}
		}
		for range 2 {
			verify(soon, nil)
			verify(later, nil)
			verify(other, nil)
			verify(soon+"x", errToken)
			verify(soon[:len(soon)-1], errToken)
		}
		if _, ok := v.known.get(later, time.Now()); !ok {
			t.Error("a token that was verified is not known")
		}
		if _, ok := v.known.get(soon+"x", time.Now()); ok {
			t.Error("a token that was refused is known")
		}
		time.Sleep(11 * time.Minute)
		verify(soon, errToken)
		verify(later, nil)

		time.Sleep(time.Second) // The keys, which were old, have been fetched.
		synctest.Wait()
		delete(i.private, "k1")
		i.add(t, "k2") // The same name, and another key.
		time.Sleep(freshFor + time.Second)
		_, _ = v.verify(t.Context(), later) // It begins to fetch the keys.
		time.Sleep(time.Second)
		synctest.Wait()
		verify(later, errToken)
		verify(other, errToken)
	})
}
