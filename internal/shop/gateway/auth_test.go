package gateway

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/token"
)

// issuer is a user-svc of which a test controls everything.
type issuer struct {
	private map[string]ed25519.PrivateKey
	down    atomic.Bool
	delay   time.Duration
	fetches atomic.Int32
}

func newIssuer(t *testing.T, ids ...string) *issuer {
	i := &issuer{private: map[string]ed25519.PrivateKey{}}
	for _, id := range ids {
		i.add(t, id)
	}
	return i
}

func (i *issuer) add(t *testing.T, id string) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	i.private[id] = private
}

func (i *issuer) keys(ctx context.Context) (token.KeySet, error) {
	i.fetches.Add(1)
	select {
	case <-time.After(max(i.delay, time.Millisecond)): // others join the flight
	case <-ctx.Done():
		return token.KeySet{}, ctx.Err()
	}
	if i.down.Load() {
		return token.KeySet{}, fault.New(fault.Upstream, "user-svc cannot be reached")
	}
	set := token.KeySet{Keys: []token.Key{{ID: "foreign", Type: "RSA"}}}
	for id, private := range i.private {
		set.Keys = append(set.Keys, token.NewKey(id, private.Public().(ed25519.PublicKey)))
	}
	return set, nil
}

func (i *issuer) verifier(t *testing.T) *verifier {
	cache := newKeyCache(i.keys)
	t.Cleanup(cache.close)
	return newVerifier(cache)
}

// sign signs a valid token for ann after the change.
func (i *issuer) sign(t *testing.T, id string, change func(jwt.MapClaims, *jwt.Token)) string {
	t.Helper()
	claims := jwt.MapClaims{
		"user_id": "ann", "iss": "user-svc", "aud": "api-gateway",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	tok := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	tok.Header["kid"] = id
	if change != nil {
		change(claims, tok)
	}
	var key any = i.private[id]
	switch tok.Method.Alg() {
	case "HS256":
		key = []byte("mysecretkey")
	case "none":
		key = jwt.UnsafeAllowNoneSignatureType
	}
	signed, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1", "k2")
		v := i.verifier(t)
		other := newIssuer(t, "k1")
		for name, tc := range map[string]struct {
			issuer *issuer
			change func(jwt.MapClaims, *jwt.Token)
			ok     bool
		}{
			"valid":           {i, nil, true},
			"list of aud":     {i, func(c jwt.MapClaims, _ *jwt.Token) { c["aud"] = []string{"x", "api-gateway"} }, true},
			"clock ahead":     {i, func(c jwt.MapClaims, _ *jwt.Token) { c["iat"] = time.Now().Add(3 * time.Second).Unix() }, true},
			"expired":         {i, func(c jwt.MapClaims, _ *jwt.Token) { c["exp"] = time.Now().Add(-time.Minute).Unix() }, false},
			"no exp":          {i, func(c jwt.MapClaims, _ *jwt.Token) { delete(c, "exp") }, false},
			"issued later":    {i, func(c jwt.MapClaims, _ *jwt.Token) { c["iat"] = time.Now().Add(time.Hour).Unix() }, false},
			"wrong aud":       {i, func(c jwt.MapClaims, _ *jwt.Token) { c["aud"] = "someone" }, false},
			"no aud":          {i, func(c jwt.MapClaims, _ *jwt.Token) { delete(c, "aud") }, false},
			"wrong iss":       {i, func(c jwt.MapClaims, _ *jwt.Token) { c["iss"] = "someone" }, false},
			"no user":         {i, func(c jwt.MapClaims, _ *jwt.Token) { delete(c, "user_id") }, false},
			"user a number":   {i, func(c jwt.MapClaims, _ *jwt.Token) { c["user_id"] = 7 }, false},
			"critical header": {i, func(_ jwt.MapClaims, tok *jwt.Token) { tok.Header["crit"] = []string{"exp"} }, false},
			"no kid":          {i, func(_ jwt.MapClaims, tok *jwt.Token) { delete(tok.Header, "kid") }, false},
			"kid a number":    {i, func(_ jwt.MapClaims, tok *jwt.Token) { tok.Header["kid"] = 1 }, false},
			"unknown kid":     {i, func(_ jwt.MapClaims, tok *jwt.Token) { tok.Header["kid"] = "k9" }, false},
			"another's key":   {i, func(_ jwt.MapClaims, tok *jwt.Token) { tok.Header["kid"] = "k2" }, false},
			"another issuer":  {other, nil, false},
			"a shared secret": {i, func(_ jwt.MapClaims, tok *jwt.Token) { useMethod(tok, jwt.SigningMethodHS256) }, false},
			"alg none":        {i, func(_ jwt.MapClaims, tok *jwt.Token) { useMethod(tok, jwt.SigningMethodNone) }, false},
		} {
			user, err := v.verify(t.Context(), tc.issuer.sign(t, "k1", tc.change))
			if tc.ok && (err != nil || user != "ann") || !tc.ok && !errors.Is(err, errToken) {
				t.Errorf("%s: %q, %v", name, user, err)
			}
		}
		for _, raw := range []string{"", "x", "a.b.c", "..", i.sign(t, "k1", nil) + "x"} {
			if _, err := v.verify(t.Context(), raw); !errors.Is(err, errToken) {
				t.Errorf("%q: %v", raw, err)
			}
		}
	})
}

func useMethod(tok *jwt.Token, m jwt.SigningMethod) { tok.Method, tok.Header["alg"] = m, m.Alg() }

func TestKeysAreFetchedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t, "k1")
		v := i.verifier(t)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := v.verify(t.Context(), i.sign(t, "k1", nil)); err != nil {
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
		if _, err := v.verify(t.Context(), signed); err != nil { // the keys are asked for beside it
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

func TestSlowUserSvcDelaysNobodyWhoseKeyIsKnown(t *testing.T) {
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

func TestPublishedKeysAreReadable(t *testing.T) {
	i := newIssuer(t, "k1")
	set, err := i.keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	var back token.KeySet
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	for _, k := range back.Keys {
		if key, err := k.Public(); k.ID == "k1" && (err != nil || !key.Equal(i.private["k1"].Public())) || k.ID == "foreign" && err == nil {
			t.Errorf("%+v: %v", k, err)
		}
	}
}
