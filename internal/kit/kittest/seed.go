package kittest

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// Seed returns what a test begins its random choices with, and prints it: SEED, or else the
// time. The gate sets SEED, so that it fails by a change and not by chance.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SEED: %v", err)
		}
	}
	t.Logf("seed %d: SEED=%[1]d repeats it", seed)
	return seed
}
