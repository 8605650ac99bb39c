// Package token is what user-svc and api-gateway agree on: the claims of an
// access token and the form in which the keys that verify it are published.
package token

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// Issuer and Audience are the iss and aud of every token.
	Issuer   = "user-svc"
	Audience = "api-gateway"
	// Algorithm is the only one that is signed with and accepted.
	Algorithm = "EdDSA"
	// Lifetime is how long a token is valid.
	Lifetime = time.Hour
	// Leeway is how far the clocks of two machines may be apart.
	Leeway = 5 * time.Second
)

// Claims are the claims of an access token.
type Claims struct {
	UserID string `json:"user_id"`
	jwt.RegisteredClaims
}

// Key is a public Ed25519 key as a JWK (RFC 8037).
type Key struct {
	ID        string `json:"kid"`
	Type      string `json:"kty" example:"OKP"`
	Curve     string `json:"crv" example:"Ed25519"`
	X         string `json:"x" doc:"The key, base64url"`
	Use       string `json:"use" example:"sig"`
	Algorithm string `json:"alg" example:"EdDSA"`
}

// KeySet is the document at /.well-known/jwks.json (RFC 7517).
type KeySet struct {
	Keys []Key `json:"keys"`
}

// NewKey returns the published form of a public key.
func NewKey(id string, public ed25519.PublicKey) Key {
	return Key{ID: id, Type: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(public), Use: "sig", Algorithm: Algorithm}
}

// Public returns the key, or an error for any other kind of key.
func (k Key) Public() (ed25519.PublicKey, error) {
	x, err := base64.RawURLEncoding.DecodeString(k.X)
	if err != nil || k.Type != "OKP" || k.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("key %q is no Ed25519 key", k.ID)
	}
	return x, nil
}
