package users

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A stored hash is read as it was written, or is malformed.
func FuzzPHC(f *testing.F) {
	for _, hash := range []string{
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "secret", "$argon2i$v=19$m=1,t=1,p=1$c2FsdA$a2V5",
		"$argon2id$v=19$m=1,t=0,p=1$c2FsdA$a2V5", "$argon2id$v=19$m=-1,t=1,p=256$c2FsdA$a2V5", "$argon2id$v=19$m=1,t=1,p=1x$c2FsdA$a2V5", "$argon2id$v=19$m= 1,t=1,p=1$c2FsdB$a2V5",
	} {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		memory, time, threads, salt, key, err := parse(hash)
		if err != nil {
			if err != errHash || strings.Contains(err.Error(), hash) && len(hash) > 20 {
				t.Errorf("parse(%q): %v", hash, err)
			}
			return
		}
		if time < 1 || threads < 1 || len(salt) == 0 || len(key) == 0 {
			t.Errorf("parse(%q) = %d, %d, %d, %x, %x", hash, memory, time, threads, salt, key)
		}
		if written := format(memory, time, threads, salt, key); written != hash {
			t.Errorf("%q is read as %q", hash, written)
		}
	})
}

// An address has one key, in whatever case and with whatever code points it is written.
func FuzzEmailKey(f *testing.F) {
	for _, email := range []string{"Ann@Example.COM", "zoë@example.com", "zoe\u0308@example.com", "ΣΊΣΥΦΟΣ@x", "ſ@x", "K@x", "İ@x", "ß@x", "ǅ@x", "\u0345\u0301@x", "ΐ@x"} {
		f.Add(email)
	}
	f.Fuzz(func(t *testing.T, email string) {
		want := key(email)
		if again := key(want); again != want {
			t.Errorf("the key %q of %q has the key %q", want, email, again)
		}
		for how, same := range map[string]string{
			"composed": norm.NFC.String(email), "decomposed": norm.NFD.String(email), "other case": swapCase(email),
		} {
			if got := key(same); got != want {
				t.Errorf("%s: %q has the key %q, %q has %q", how, email, want, same, got)
			}
		}
	})
}

// swapCase gives each letter the next form that differs from it in nothing but case.
func swapCase(s string) string { return strings.Map(unicode.SimpleFold, norm.NFC.String(s)) }
