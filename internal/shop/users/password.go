package users

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/turns"
)

// Cost of a hash: OWASP's recommendation for argon2id with the least memory
// but one. A hash records its own cost, so that these may change.
const (
	hashMemory  = 19 * 1024 // KiB
	hashTime    = 2
	hashThreads = 1
	saltLength  = 16
	keyLength   = 32
	// atOnce bounds how many hashes are computed at once, and with them memory.
	atOnce = 2
	// maxOfClient bounds how many of one client wait: a class may come from one address,
	// and so many take about two seconds.
	maxOfClient = 64
	// maxOfAccount bounds how many of them are about one account.
	maxOfAccount = 4
)

// phc is the textual form of a hash: parameters, salt, key.
const phc = "$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s"

// hasher hashes passwords, a few at a time.
type hasher struct {
	turns *turns.Turns
	dummy string
	// running is how many hashes are computed now.
	running atomic.Int32
}

func newHasher() *hasher {
	// The dummy is a hash of no password at all, so nothing verifies against it.
	dummy := format(hashMemory, hashTime, hashThreads, random(saltLength), random(keyLength))
	return &hasher{turns: turns.New(atOnce, maxOfClient, maxOfAccount), dummy: dummy}
}

// hash returns the hash of a password in PHC form.
func (h *hasher) hash(ctx context.Context, at turns.Line, password string) (string, error) {
	salt := random(saltLength)
	key, err := h.compute(ctx, at, password, salt, hashTime, hashMemory, hashThreads, keyLength)
	if err != nil {
		return "", err
	}
	return format(hashMemory, hashTime, hashThreads, salt, key), nil
}

// verify reports whether the password has the hash. An empty hash, that of an
// unknown user, takes as long as any other.
func (h *hasher) verify(ctx context.Context, at turns.Line, password, hash string) (bool, error) {
	if hash == "" {
		hash = h.dummy
	}
	memory, time, threads, salt, want, err := parse(hash)
	if err != nil {
		return false, err
	}
	got, err := h.compute(ctx, at, password, salt, time, memory, threads, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (h *hasher) compute(ctx context.Context, at turns.Line, password string, salt []byte, time, memory uint32, threads uint8, length uint32) ([]byte, error) {
	giveBack, err := h.turns.Take(ctx, at)
	switch {
	case errors.Is(err, turns.ErrTooMany):
		return nil, tooMany("Too many of your passwords are being checked, try again", 0)
	case err != nil:
		return nil, fault.Wrap(err, fault.Unavailable, "Too many passwords are being checked, try again")
	}
	defer h.finish(giveBack)
	h.running.Add(1)
	return argon2.IDKey([]byte(password), salt, time, memory, threads, length), nil
}

// finish ends a hash and collects its memory, which is more than all else that the service
// has: the next hashes take it, instead of twice as much. The last one gives it back to the
// system: the service is idle most of the time, and would sit on it until the next garbage
// collection, two minutes later.
func (h *hasher) finish(giveBack func()) {
	if h.running.Add(-1) == 0 {
		debug.FreeOSMemory()
	} else {
		runtime.GC()
	}
	giveBack()
}

func format(memory, time uint32, threads uint8, salt, key []byte) string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf(phc, memory, time, threads, enc.EncodeToString(salt), enc.EncodeToString(key))
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: it ends the program instead
	return b
}
