package gateway

import (
	"crypto/ed25519"
	"crypto/sha256"
	"time"

	"github.com/koshop/koshop/internal/shop/recent"
	"github.com/koshop/koshop/internal/shop/token"
)

// remembered is how many verified tokens are remembered.
const remembered = 10_000

// verified remembers verified tokens by their hashes: to verify a signature takes longer
// than the rest of a request.
type verified struct{ tokens *recent.Map[verifiedToken] }

// verifiedToken is the result for one token. It is valid while user-svc has the key.
type verifiedToken struct {
	userID, keyID string
	key           ed25519.PublicKey
	until         time.Time
}

func newVerified() verified { return verified{recent.NewMap[verifiedToken](remembered)} }

// get returns the result for a token that has not expired.
func (v verified) get(raw string, now time.Time) (verifiedToken, bool) {
	known, ok := v.tokens.Get(hash(raw))
	return known, ok && now.Before(known.until)
}

func (v verified) put(raw, keyID string, key ed25519.PublicKey, claims *token.Claims) {
	v.tokens.Put(hash(raw), verifiedToken{claims.UserID, keyID, key, claims.ExpiresAt.Add(token.Leeway)})
}

func hash(raw string) string {
	sum := sha256.Sum256([]byte(raw))
	return string(sum[:])
}
