package users

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/turns"
)

// purgeInterval is how often attempts are deleted that are forgotten.
const purgeInterval = 10 * time.Minute

// attempts are those to log in, in the database, so that replicas share them.
type attempts struct{ db *database.DB }

// pair is a client and the account that it asks for, which need not exist.
type pair struct{ client, account string }

// id names the pair in the database without telling the two.
func (p pair) id() string {
	sum := sha256.Sum256([]byte(p.client + "\n" + p.account))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// strangers stands for all clients that have never logged in to the account.
func (p pair) strangers() pair { return pair{"", p.account} }

// line is where a password of the pair waits for its turn.
func (p pair) line(isPreferred bool) turns.Line {
	return turns.Line{Client: p.client, Subject: p.account, IsPreferred: isPreferred}
}

// of returns the history of the pair.
func (a *attempts) of(ctx context.Context, p pair, now time.Time) (h history, err error) {
	rows, err := a.db.Reads().QueryContext(ctx,
		`SELECT pair, failures, failed_at, succeeded_at FROM login_attempts WHERE pair IN ($1, $2) AND forget_at > $3`,
		p.id(), p.strangers().id(), now.UnixMilli())
	if err != nil {
		return history{}, fmt.Errorf("read attempts to log in: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var (
			id                    string
			failures              int
			failedAt, succeededAt int64
		)
		if err := rows.Scan(&id, &failures, &failedAt, &succeededAt); err != nil {
			return history{}, fmt.Errorf("read attempts to log in: %w", err)
		}
		if now.Sub(time.UnixMilli(failedAt)) > failuresKept {
			failures = 0
		}
		if id == p.id() {
			h.failures, h.failedAt, h.succeeded = failures, time.UnixMilli(failedAt), time.UnixMilli(succeededAt)
		} else {
			h.ofStrangers = failures
		}
	}
	return h, rows.Err()
}

// failed notes a wrong password of a pair that has the history.
func (a *attempts) failed(ctx context.Context, p pair, h history, now time.Time) error {
	if err := a.addFailure(ctx, p, now); err != nil || h.isKnown(now) {
		return err
	}
	return a.addFailure(ctx, p.strangers(), now)
}

func (a *attempts) addFailure(ctx context.Context, p pair, now time.Time) error {
	_, err := a.db.ExecContext(ctx, `
		INSERT INTO login_attempts (pair, failures, failed_at, succeeded_at, forget_at) VALUES ($1, 1, $2, 0, $4)
		ON CONFLICT (pair) DO UPDATE SET failed_at = excluded.failed_at,
		failures = CASE WHEN login_attempts.failed_at < $3 THEN 1 ELSE login_attempts.failures + 1 END,
		forget_at = CASE WHEN login_attempts.forget_at > $4 THEN login_attempts.forget_at ELSE $4 END`,
		p.id(), now.UnixMilli(), now.Add(-failuresKept).UnixMilli(), now.Add(failuresKept).UnixMilli())
	if err != nil {
		return fmt.Errorf("note a failed attempt to log in: %w", err)
	}
	return nil
}

// succeeded notes a right password, unless that is on record.
func (a *attempts) succeeded(ctx context.Context, p pair, h history, now time.Time) error {
	if h.failures == 0 && now.Sub(h.succeeded) < failuresKept {
		return nil
	}
	_, err := a.db.Repeatable().ExecContext(ctx, `
		INSERT INTO login_attempts (pair, failures, failed_at, succeeded_at, forget_at) VALUES ($1, 0, 0, $2, $3)
		ON CONFLICT (pair) DO UPDATE SET failures = 0, succeeded_at = excluded.succeeded_at, forget_at = excluded.forget_at`,
		p.id(), now.UnixMilli(), now.Add(knownFor).UnixMilli())
	if err != nil {
		return fmt.Errorf("note an attempt to log in: %w", err)
	}
	return nil
}

// purge deletes what is forgotten, at once and then at intervals, until ctx ends.
func (a *attempts) purge(ctx context.Context) {
	a.db.Purge(ctx, database.Purge{
		Table: "login_attempts", Key: "pair", Where: "forget_at <= $1", Every: purgeInterval,
		Args: func(now time.Time) []any { return []any{now.UnixMilli()} },
	})
}
