// Package idempotency gives a request that is repeated the answer of the first
// one. A client repeats a request whose answer it did not get, with the same
// header Idempotency-Key
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/).
package idempotency

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/fault"
)

const (
	// kept is how long an answer is given again.
	kept = 24 * time.Hour
	// busy is how long a request may take: longer than any service lets it. After a
	// crash, another one may go on with it then.
	busy = 6 * time.Second
	// purgeInterval is how often old answers are deleted.
	purgeInterval = time.Hour
	// finishTimeout bounds how long it takes to note the end of a request.
	finishTimeout = 2 * time.Second
)

// Request is a request that may be repeated. Without a key it is not.
type Request struct {
	User        string // a key is the user's own
	Key         string
	Fingerprint string // tells requests apart: equal for equal ones
}

// Keys are the keys in a service's table idempotency_keys.
type Keys struct{ DB *database.DB }

// Do carries out a request, or returns the answer that it had within the last 24
// hours. What the request creates has the id that run gets, which is the same
// when it is carried out again after a failure: run has to bear that.
//
// It returns fault.Invalid when the key was used for another request, and
// fault.Conflict while the request is being carried out. An error of run is not
// kept: a client may repeat the request, and it is carried out anew.
func Do[T any](ctx context.Context, k *Keys, r Request, run func(ctx context.Context, id string) (T, error)) (answer T, err error) {
	if r.Key == "" {
		return run(ctx, uuid.NewString())
	}
	e, err := k.begin(ctx, r)
	if err != nil {
		return answer, err
	}
	if e.answer.Valid {
		return decode[T](e)
	}
	answer, err = run(ctx, e.id)
	return answer, k.end(ctx, r, answer, err)
}

// Find returns the answer that a request had within the last 24 hours. It does not carry
// out the request, and returns fault.NotFound if the request never came or failed.
// Otherwise it fails as Do does.
func Find[T any](ctx context.Context, k *Keys, r Request) (answer T, err error) {
	e, err := k.read(ctx, r)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return answer, errUnknown()
	case err != nil:
		return answer, err
	case e.isOld(time.Now()):
		return answer, errUnknown()
	}
	if err := e.check(r); err != nil {
		return answer, err
	}
	if !e.answer.Valid {
		return answer, errUnknown()
	}
	return decode[T](e)
}

// entry is what is on record of a key.
type entry struct {
	fingerprint, id string
	busyUntil       int64
	answer          sql.Null[string]
	createdAt       int64
}

// isOld tells that the key can be used for another request now.
func (e entry) isOld(now time.Time) bool { return e.createdAt <= now.Add(-kept).UnixMilli() }

// check returns fault.Invalid if the key was used for another request than this one,
// and fault.Conflict while it is carried out.
func (e entry) check(r Request) error {
	switch {
	case e.fingerprint != r.Fingerprint:
		return fault.New(fault.Invalid, "The Idempotency-Key was used for another request")
	case !e.answer.Valid && e.busyUntil > time.Now().UnixMilli():
		return errBusy()
	}
	return nil
}

func decode[T any](e entry) (answer T, err error) {
	if err := json.Unmarshal([]byte(e.answer.V), &answer); err != nil {
		return answer, fmt.Errorf("decode the answer to an earlier request: %w", err)
	}
	return answer, nil
}

// begin returns the answer of the request if it has one. Otherwise the request is
// the caller's to carry out, until end.
func (k *Keys) begin(ctx context.Context, r Request) (entry, error) {
	for range 2 {
		now := time.Now()
		fresh := entry{fingerprint: r.Fingerprint, id: uuid.NewString(), busyUntil: now.Add(busy).UnixMilli(), createdAt: now.UnixMilli()}
		created, err := k.change(ctx, k.DB.Repeatable(), `
			INSERT INTO idempotency_keys (user_id, idempotency_key, fingerprint, id, busy_until, created_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, idempotency_key) DO NOTHING`,
			r.User, r.Key, fresh.fingerprint, fresh.id, fresh.busyUntil, fresh.createdAt)
		if err != nil || created {
			return fresh, err
		}
		e, err := k.read(ctx, r)
		if err != nil {
			return entry{}, err
		}
		if e.id == fresh.id { // The connection broke, and the statement was repeated.
			return fresh, nil
		}
		if !e.isOld(now) {
			return k.resume(ctx, r, e)
		}
		if _, err := k.change(ctx, k.DB.Repeatable(), `DELETE FROM idempotency_keys WHERE user_id = $1 AND idempotency_key = $2 AND created_at = $3`,
			r.User, r.Key, e.createdAt); err != nil {
			return entry{}, err
		}
	}
	return entry{}, errBusy()
}

// resume returns the answer to the earlier request. If it has none, because the request
// failed or a crash interrupted it, the request is the caller's to carry out.
func (k *Keys) resume(ctx context.Context, r Request, e entry) (entry, error) {
	if err := e.check(r); err != nil || e.answer.Valid {
		return e, err
	}
	taken, err := k.change(ctx, k.DB.Statements, `
		UPDATE idempotency_keys SET busy_until = $4
		WHERE user_id = $1 AND idempotency_key = $2 AND busy_until = $3 AND answer IS NULL`,
		r.User, r.Key, e.busyUntil, time.Now().Add(busy).UnixMilli())
	if err == nil && !taken {
		err = errBusy()
	}
	return e, err
}

// end stores the answer, or that the request failed, also if the client has hung up. If
// the answer cannot be stored, a repeated request is carried out again, with the same id.
func (k *Keys) end(ctx context.Context, r Request, answer any, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	var text sql.Null[string]
	if failure == nil {
		encoded, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("encode the answer: %w", err)
		}
		text = sql.Null[string]{V: string(encoded), Valid: true}
	}
	_, err := k.change(ctx, k.DB.Repeatable(), `UPDATE idempotency_keys SET busy_until = 0, answer = $3 WHERE user_id = $1 AND idempotency_key = $2 AND answer IS NULL`,
		r.User, r.Key, text)
	if failure != nil {
		return failure
	}
	return err
}

func (k *Keys) read(ctx context.Context, r Request) (e entry, err error) {
	err = k.DB.Reads().QueryRowContext(ctx, `
		SELECT fingerprint, id, busy_until, answer, created_at FROM idempotency_keys WHERE user_id = $1 AND idempotency_key = $2`,
		r.User, r.Key).Scan(&e.fingerprint, &e.id, &e.busyUntil, &e.answer, &e.createdAt)
	if err != nil {
		return entry{}, fmt.Errorf("read an idempotency key: %w", err)
	}
	return e, nil
}

// change executes a statement that changes one row or none.
func (k *Keys) change(ctx context.Context, on database.Statements, query string, args ...any) (changed bool, err error) {
	changed, err = on.Change(ctx, query, args...)
	if err != nil {
		return false, fmt.Errorf("note an idempotency key: %w", err)
	}
	return changed, nil
}

// Purge deletes old answers, at once and then every hour, until ctx ends.
func (k *Keys) Purge(ctx context.Context) {
	k.DB.Purge(ctx, database.Purge{
		Table: "idempotency_keys", Key: "user_id, idempotency_key", Where: "created_at <= $1", Every: purgeInterval,
		Args: func(now time.Time) []any { return []any{now.Add(-kept).UnixMilli()} },
	})
}

func errBusy() error {
	err := fault.New(fault.Conflict, "A request with this Idempotency-Key is being carried out")
	err.RetryAfter = time.Second // Most requests have ended by then.
	return err
}

func errUnknown() error {
	return fault.New(fault.NotFound, "No request with this Idempotency-Key has an answer")
}
