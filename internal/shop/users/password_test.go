package users

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/turns"
)

func TestPasswords(t *testing.T) {
	h := newHasher()
	hash, err := h.hash(t.Context(), turns.Line{}, "secret")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash %q, %v", hash, err)
	}
	if again, err := h.hash(t.Context(), turns.Line{}, "secret"); err != nil || again == hash {
		t.Errorf("the same password has the same hash, %v", err)
	}
	for password, want := range map[string]bool{"secret": true, "Secret": false, "": false} {
		if got, err := h.verify(t.Context(), turns.Line{}, password, hash); err != nil || got != want {
			t.Errorf("verify %q: %v, %v", password, got, err)
		}
	}
	if ok, err := h.verify(t.Context(), turns.Line{}, "secret", ""); err != nil || ok {
		t.Errorf("an unknown user: %v, %v", ok, err)
	}
}

// TestForeignHash verifies a hash with other parameters, made by the reference
// implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32 -e
func TestForeignHash(t *testing.T) {
	const hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := newHasher().verify(t.Context(), turns.Line{}, "password", hash); err != nil || !ok {
		t.Errorf("verify: %v, %v", ok, err)
	}
}

func TestMalformedHashes(t *testing.T) {
	for _, hash := range []string{
		"secret", "$argon2i$v=19$m=1,t=1,p=1$c2FsdA$a2V5", "$argon2id$v=18$m=1,t=1,p=1$c2FsdA$a2V5",
		"$argon2id$v=19$m=1,t=0,p=1$c2FsdA$a2V5", "$argon2id$v=19$m=1,t=1,p=0$c2FsdA$a2V5",
		"$argon2id$v=19$m=1,t=1,p=1$!$a2V5", "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$", "$argon2id$v=19$m=x$c2FsdA$a2V5",
	} {
		if ok, err := newHasher().verify(t.Context(), turns.Line{}, "secret", hash); ok || !errors.Is(err, errHash) {
			t.Errorf("%s: %v, %v", hash, ok, err)
		}
	}
}

func TestHashingIsBounded(t *testing.T) {
	h := newHasher()
	for range atOnce {
		if _, err := h.turns.Take(t.Context(), turns.Line{}); err != nil { // as if so many were under way
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.hash(ctx, turns.Line{}, "secret"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}
