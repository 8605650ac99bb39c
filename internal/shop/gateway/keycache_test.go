package gateway

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/koshop/koshop/internal/shop/fault"
)

func TestKeysAreFetchedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		v, signed := i.verifier(t), i.sign(t, "k1", nil)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := v.verify(t.Context(), signed); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := i.fetches.Load(); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

func TestNewKeyIsFoundAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		v := i.verifier(t)
		if _, err := v.verify(t.Context(), i.sign(t, "k1", nil)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * fetchPause)
		i.add(t, "k2")
		if _, err := v.verify(t.Context(), i.sign(t, "k2", nil)); err != nil {
			t.Errorf("a token by the new key: %v", err)
		}
		for range 50 {
			if _, err := v.verify(t.Context(), i.sign(t, "k1", func(_ jwt.MapClaims, tok *jwt.Token) { tok.Header["kid"] = "k9" })); !errors.Is(err, errToken) {
				t.Errorf("an unknown key: %v", err)
			}
		}
		if n := i.fetches.Load(); n > 3 {
			t.Errorf("%d fetches for unknown keys at once", n)
		}
	})
}

func TestWithdrawnKeyIsRefusedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		v, signed := i.verifier(t), i.sign(t, "k1", nil)
		if _, err := v.verify(t.Context(), signed); err != nil {
			t.Fatal(err)
		}
		delete(i.private, "k1")
		time.Sleep(freshFor)
		if _, err := v.verify(t.Context(), signed); err != nil { // The keys are fetched in the background.
			t.Errorf("a key that was valid: %v", err)
		}
		time.Sleep(fetchPause)
		if _, err := v.verify(t.Context(), signed); !errors.Is(err, errToken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestUserSvcDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		v := i.verifier(t)
		long := func(c jwt.MapClaims, _ *jwt.Token) { c["exp"] = time.Now().Add(24 * time.Hour).Unix() }
		signed := i.sign(t, "k1", long)
		i.down.Store(true)
		if _, err := v.verify(t.Context(), signed); !fault.Is(err, fault.Upstream) {
			t.Errorf("without any key: %v", err)
		}
		i.down.Store(false)
		time.Sleep(fetchPause)
		if _, err := v.verify(t.Context(), signed); err != nil {
			t.Errorf("after it came back: %v", err)
		}
		i.down.Store(true)
		time.Sleep(freshFor + time.Minute)
		if _, err := v.verify(t.Context(), signed); err != nil {
			t.Errorf("with keys that are known: %v", err)
		}
		time.Sleep(usableFor)
		if _, err := v.verify(t.Context(), signed); !fault.Is(err, fault.Upstream) {
			t.Errorf("with keys that are too old: %v", err)
		}
	})
}

func TestSlowUserSvcDoesNotDelayKnownKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		v := i.verifier(t)
		signed := i.sign(t, "k1", nil)
		if _, err := v.verify(t.Context(), signed); err != nil {
			t.Fatal(err)
		}
		i.delay = 4 * time.Second
		time.Sleep(freshFor + time.Minute)
		for range 5 {
			begin := time.Now()
			if _, err := v.verify(t.Context(), signed); err != nil || time.Since(begin) > 0 {
				t.Errorf("%v after %v", err, time.Since(begin))
			}
			time.Sleep(time.Second)
		}
		if n := i.fetches.Load(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
		unknown := i.sign(t, "k1", func(_ jwt.MapClaims, tok *jwt.Token) { tok.Header["kid"] = "k9" })
		begin := time.Now()
		if _, err := v.verify(t.Context(), unknown); !errors.Is(err, errToken) || time.Since(begin) != i.delay {
			t.Errorf("an unknown key: %v after %v", err, time.Since(begin))
		}
	})
}

func TestFetchEndsWithTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		i.delay = time.Hour
		v := i.verifier(t)
		begin := time.Now()
		go func() {
			time.Sleep(time.Second)
			v.keys.close()
		}()
		if _, err := v.verify(t.Context(), i.sign(t, "k1", nil)); err == nil || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		v.keys.close()
		if v.keys.refresh(t.Context()); i.fetches.Load() != 1 {
			t.Error("keys are fetched after the end")
		}
	})
}
