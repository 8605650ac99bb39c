package gateway

import (
	"context"
	"crypto/ed25519"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/token"
)

// issuer stands for user-svc: a test controls its keys, its answers and how long they take.
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
