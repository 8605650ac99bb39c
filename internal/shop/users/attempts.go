package users

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/koshop/koshop/internal/shop/database"
)

const (
	// freeFailures is how many wrong passwords a client may try for an account before
	// it has to pause.
	freeFailures = 5
	// longestPause bounds the pause, which doubles with each wrong password.
	longestPause = time.Minute
	// failuresKept is after how long without a further one failures are forgotten.
	failuresKept = time.Hour
	// knownFor is how long a client is known that has logged in to an account.
	knownFor = 30 * 24 * time.Hour
	// purgeInterval is how often what is forgotten is deleted.
	purgeInterval = 10 * time.Minute
)

// attempts are those to log in, in the database, so that replicas share them. They
// are counted for each pair of an account and a client: who guesses has to pause,
// and the account's owner elsewhere does not.
type attempts struct{ db *database.DB }

// asker is a client that asks for an account, which need not exist.
type asker struct{ client, account string }

// pair names the two in the database without telling them.
func (a asker) pair() string {
	sum := sha256.Sum256([]byte(a.client + "\n" + a.account))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// history is how a client's attempts for an account went.
type history struct {
	failures            int
	failedAt, succeeded time.Time
}

// pause returns how long the client has to wait before its next attempt.
func (h history) pause(now time.Time) time.Duration {
	if h.failures < freeFailures || now.Sub(h.failedAt) > failuresKept {
		return 0
	}
	pause := longestPause
	if doubled := h.failures - freeFailures; doubled < 6 {
		pause = time.Second << doubled
	}
	return max(0, h.failedAt.Add(pause).Sub(now))
}

// isKnown tells whether the client has logged in to the account.
func (h history) isKnown(now time.Time) bool { return now.Sub(h.succeeded) < knownFor }

// of returns the history of the asker.
func (a *attempts) of(ctx context.Context, who asker) (h history, err error) {
	var failedAt, succeededAt int64
	err = a.db.Reads().QueryRowContext(ctx, `SELECT failures, failed_at, succeeded_at FROM login_attempts WHERE pair = $1`, who.pair()).
		Scan(&h.failures, &failedAt, &succeededAt)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return h, fmt.Errorf("read attempts to log in: %w", err)
	}
	h.failedAt, h.succeeded = time.UnixMilli(failedAt), time.UnixMilli(succeededAt)
	return h, nil
}

// failed notes a wrong password.
func (a *attempts) failed(ctx context.Context, who asker, now time.Time) error {
	_, err := a.db.ExecContext(ctx, `
		INSERT INTO login_attempts (pair, failures, failed_at, succeeded_at) VALUES ($1, 1, $2, 0)
		ON CONFLICT (pair) DO UPDATE SET failed_at = excluded.failed_at,
		failures = CASE WHEN login_attempts.failed_at < $3 THEN 1 ELSE login_attempts.failures + 1 END`,
		who.pair(), now.UnixMilli(), now.Add(-failuresKept).UnixMilli())
	if err != nil {
		return fmt.Errorf("note a failed attempt to log in: %w", err)
	}
	return nil
}

// succeeded notes a right password, unless that is on record.
func (a *attempts) succeeded(ctx context.Context, who asker, h history, now time.Time) error {
	if h.failures == 0 && now.Sub(h.succeeded) < failuresKept {
		return nil
	}
	_, err := a.db.Repeatable().ExecContext(ctx, `
		INSERT INTO login_attempts (pair, failures, failed_at, succeeded_at) VALUES ($1, 0, 0, $2)
		ON CONFLICT (pair) DO UPDATE SET failures = 0, succeeded_at = excluded.succeeded_at`,
		who.pair(), now.UnixMilli())
	if err != nil {
		return fmt.Errorf("note an attempt to log in: %w", err)
	}
	return nil
}

// purge deletes what is forgotten, at once and then at intervals, until ctx ends.
func (a *attempts) purge(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(purgeInterval)
	defer tick.Stop()
	for {
		now := time.Now()
		_, err := a.db.Repeatable().ExecContext(ctx, `DELETE FROM login_attempts WHERE failed_at < $1 AND succeeded_at < $2`,
			now.Add(-failuresKept).UnixMilli(), now.Add(-knownFor).UnixMilli())
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "cannot delete old attempts to log in", "error", err.Error())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
