package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
)

const (
	idempotencyKey         = "Idempotency-Key"
	idempotencyFingerprint = "Idempotency-Fingerprint"
)

// IdempotencyKey is the header by which a client repeats a request.
type IdempotencyKey struct {
	Key string `header:"Idempotency-Key" maxLength:"255" pattern:"^[!-~]*$" patternDescription:"visible ASCII characters" doc:"Repeat a request with the same key to get the same answer, for 24 hours"`
}

// Idempotency is what a service behind the gateway gets: a client's request to the
// gateway may be the same while the gateway's own is not, when prices change.
type Idempotency struct {
	IdempotencyKey
	Fingerprint string `header:"Idempotency-Fingerprint" maxLength:"64" doc:"What to compare requests by; empty for the body"`
}

// Of returns what tells the request apart from others.
func (i Idempotency) Of(body any) (string, error) {
	if i.Fingerprint != "" {
		return i.Fingerprint, nil
	}
	return Fingerprint(body)
}

// For returns the key with the fingerprint of what the client has sent.
func (k IdempotencyKey) For(body any) (i Idempotency, err error) {
	if k.Key != "" {
		i.Fingerprint, err = Fingerprint(body)
	}
	i.IdempotencyKey = k
	return i, err
}

// header returns the header of a call, nil without a key.
func (i Idempotency) header() http.Header {
	if i.Key == "" {
		return nil
	}
	return http.Header{idempotencyKey: {i.Key}, idempotencyFingerprint: {i.Fingerprint}}
}

// Fingerprint returns a hash of the body, the same for all ways to write it.
func Fingerprint(body any) (string, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encode a request: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:]), nil
}
