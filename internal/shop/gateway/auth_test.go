package gateway

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/koshop/koshop/internal/shop/token"
)

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
