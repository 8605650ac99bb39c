package kittest

import (
	"os"
	"testing"
)

// Unset takes variables out of the environment for the time of a test. An empty
// one would still be there for a program that is started.
func Unset(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		t.Setenv(name, "") // which restores it
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
}
