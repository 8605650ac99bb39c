package users

import "time"

// How guessing is slowed down. A client may fail a few times for an account; then it pauses
// after each further failure. What others fail never makes a client pause that has not
// failed, so that an account's owner gets in from anywhere.
const (
	// freeFailures is how many wrong passwords a client may try for an account before it
	// pauses for firstPause, and then for twice as long each time, up to longestPause.
	freeFailures = 5
	firstPause   = time.Second
	longestPause = 5 * time.Second

	// manyFailures is how many wrong passwords are no mistake of a person. NIST SP 800-63B,
	// section 3.2.2, allows no more than 100 for an account.
	manyFailures = 100
	// guesserPause is the pause after so many of one client.
	guesserPause = time.Minute
	// firstStrangerPause is the pause of a client after its first failure for an account for
	// which strangers have failed so often, and longestStrangerPause the longest one.
	firstStrangerPause   = time.Minute
	longestStrangerPause = 30 * time.Minute

	// failuresKept is after how long without a further one failures are forgotten.
	failuresKept = time.Hour
	// knownFor is how long a client is known that has logged in to an account.
	knownFor = 30 * 24 * time.Hour
)

// history is how the attempts of a client for an account went.
type history struct {
	failures            int
	failedAt, succeeded time.Time
	// ofStrangers is how often clients failed that have never logged in to the account.
	ofStrangers int
}

// isKnown tells whether the client has logged in to the account.
func (h history) isKnown(now time.Time) bool { return now.Sub(h.succeeded) < knownFor }

// pause returns how long the client has to wait before its next attempt.
func (h history) pause(now time.Time) time.Duration {
	free, first, longest := freeFailures, firstPause, longestPause
	switch {
	case h.ofStrangers >= manyFailures && !h.isKnown(now):
		free, first, longest = 1, firstStrangerPause, longestStrangerPause
	case h.failures >= manyFailures:
		longest = guesserPause
	}
	if h.failures < free {
		return 0
	}
	doubled := min(h.failures-free, 16) // A further bit would make no difference.
	return max(0, h.failedAt.Add(min(first<<doubled, longest)).Sub(now))
}
