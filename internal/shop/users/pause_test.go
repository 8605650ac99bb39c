package users

import (
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		failures, ofStrangers int
		known                 bool
		ago, want             time.Duration
	}{
		// A client that mistypes, or guesses slowly.
		{failures: 0}, {failures: 4}, {failures: 5, want: time.Second}, {failures: 6, want: 2 * time.Second}, {failures: 7, want: 4 * time.Second},
		{failures: 8, want: 5 * time.Second}, {failures: 99, want: 5 * time.Second}, {failures: 99, known: true, want: 5 * time.Second},
		{failures: 100, want: time.Minute}, {failures: 100, known: true, want: time.Minute}, {failures: 1 << 40, want: time.Minute},
		{failures: 5, ago: time.Second}, {failures: 7, ago: time.Second, want: 3 * time.Second}, {failures: 1000, ago: time.Minute},
		// An account that many strangers guess at.
		{failures: 0, ofStrangers: 1 << 40}, {failures: 1, ofStrangers: 99}, {failures: 1, ofStrangers: 100, want: time.Minute},
		{failures: 2, ofStrangers: 100, want: 2 * time.Minute}, {failures: 9, ofStrangers: 100, want: 30 * time.Minute},
		{failures: 1, ofStrangers: 100, ago: time.Minute},
		{failures: 4, ofStrangers: 100, known: true}, {failures: 9, ofStrangers: 100, known: true, want: 5 * time.Second},
	} {
		h := history{failures: tc.failures, failedAt: now.Add(-tc.ago), ofStrangers: tc.ofStrangers}
		if tc.known {
			h.succeeded = now.Add(-time.Hour)
		}
		if got := h.pause(now); got != tc.want {
			t.Errorf("%+v: pause of %v", tc, got)
		}
	}
}
