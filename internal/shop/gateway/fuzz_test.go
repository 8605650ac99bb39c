package gateway

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/koshop/koshop/internal/shop/token"
)

// forger has the public key of user-svc and a valid token, the same in each process that
// takes part in fuzzing.
type forger struct {
	now     time.Time
	private ed25519.PrivateKey
}

func newForger() forger {
	return forger{time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))}
}

func (f forger) public() ed25519.PublicKey { return f.private.Public().(ed25519.PublicKey) }

// sign returns a token of the claims, signed with the key by the method.
func (f forger) sign(tb testing.TB, method jwt.SigningMethod, key any, change func(jwt.MapClaims, *jwt.Token)) string {
	tb.Helper()
	claims := jwt.MapClaims{"user_id": "ann", "iss": token.Issuer, "aud": token.Audience, "iat": f.now.Unix(), "exp": f.now.Add(time.Hour).Unix()}
	made := jwt.NewWithClaims(method, claims)
	made.Header["kid"] = "k1"
	change(claims, made)
	signed, err := made.SignedString(key)
	if err != nil {
		tb.Fatal(err)
	}
	return signed
}

func (f forger) verifier(tb testing.TB) *verifier {
	cache := newKeyCache(func(context.Context) (token.KeySet, error) {
		return token.KeySet{Keys: []token.Key{token.NewKey("k1", f.public())}}, nil
	})
	cache.now = func() time.Time { return f.now }
	tb.Cleanup(cache.close)
	return newVerifier(cache)
}

// Of all headers, only the one with the valid token is accepted.
func FuzzAuthorization(f *testing.F) {
	forger := newForger()
	unchanged := func(jwt.MapClaims, *jwt.Token) {}
	valid := forger.sign(f, jwt.SigningMethodEdDSA, forger.private, unchanged)
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	parts := strings.Split(valid, ".")
	for _, forged := range []string{
		valid, valid + "=", valid + ".", "." + valid, strings.ToUpper(valid), parts[0] + "." + parts[1] + ".", parts[0] + ".." + parts[2], parts[1] + "." + parts[0] + "." + parts[2],
		forger.sign(f, jwt.SigningMethodHS256, []byte(forger.public()), unchanged),
		forger.sign(f, jwt.SigningMethodHS256, []byte("mysecretkey"), unchanged),
		forger.sign(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, unchanged),
		forger.sign(f, jwt.SigningMethodEdDSA, other, unchanged),
		forger.sign(f, jwt.SigningMethodEdDSA, other, func(_ jwt.MapClaims, made *jwt.Token) {
			made.Header["jwk"] = token.NewKey("k1", other.Public().(ed25519.PublicKey))
		}),
	} {
		f.Add("Bearer " + forged)
	}
	f.Add("bearer  " + valid + " ")
	f.Add("Bearer\t" + valid)
	f.Add("Basic " + valid)
	v := forger.verifier(f)
	f.Fuzz(func(t *testing.T, header string) {
		if strings.ContainsFunc(header, func(r rune) bool { return r < ' ' && r != '\t' }) {
			t.Skip("net/http refuses the request")
		}
		raw := bearer(header)
		userID, err := v.verify(t.Context(), raw)
		switch {
		case raw == valid && (err != nil || userID != "ann"):
			t.Errorf("the valid token: %q, %v", userID, err)
		case raw != valid && (!errors.Is(err, errToken) || userID != ""):
			t.Errorf("%q: %q, %v", header, userID, err)
		}
	})
}
