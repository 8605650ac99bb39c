package users

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/token"
)

// keys are the signing keys that all replicas share through the database.
//
// Time is cut into periods. A period has one key, because the start of the
// period is unique; whichever replica needs it first makes it. The key of the
// next period is made with that of this one and is published from then on, so
// that everyone knows a key before it signs. A key stays published until no
// token it signed can be valid.
//
// A key for a period that has begun, as after a change of KEY_ROTATION, signs
// only from when it was made: until then another did. Which key signs depends
// on that time alone, so replicas with different periods agree.
type keys struct {
	db       *database.DB
	rotation time.Duration    // the length of a period
	now      func() time.Time // a test has its own clock
	log      *slog.Logger
}

type signingKey struct {
	id        string
	private   ed25519.PrivateKey
	period    int64 // milliseconds since 1970
	signsFrom int64 // milliseconds since 1970
}

// signing returns the key to sign with now.
func (k *keys) signing(ctx context.Context) (signingKey, error) {
	all, err := k.load(ctx)
	if err != nil {
		return signingKey{}, err
	}
	return all[latest(all, k.now())], nil
}

// published returns what verifies every token that can be valid.
func (k *keys) published(ctx context.Context) (token.KeySet, error) {
	all, err := k.load(ctx)
	if err != nil {
		return token.KeySet{}, err
	}
	set := token.KeySet{Keys: []token.Key{}}
	for _, key := range all[latest(all, k.retired()):] {
		set.Keys = append(set.Keys, token.NewKey(key.id, key.private.Public().(ed25519.PublicKey)))
	}
	return set, nil
}

// load returns all keys in the order in which they sign, after it made those of
// this period and the next if they are missing. There is at least one.
func (k *keys) load(ctx context.Context) ([]signingKey, error) {
	all, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	missing := k.missing(all)
	if len(missing) == 0 {
		return all, nil
	}
	if err := k.replenish(ctx, missing); err != nil {
		if len(all) == 0 {
			return nil, err
		}
		// A key signs until there is a later one.
		k.log.WarnContext(ctx, "cannot make the next signing key", "error", err.Error())
		return all, nil
	}
	return k.read(ctx)
}

// replenish makes the keys of the periods, and deletes those that are published no more.
func (k *keys) replenish(ctx context.Context, periods []time.Time) error {
	for _, period := range periods {
		if err := k.create(ctx, period); err != nil {
			return err
		}
	}
	return k.forget(ctx)
}

// missing returns the periods, of this one and the next, that need a key. One in
// which some key has begun to sign needs no other.
func (k *keys) missing(all []signingKey) []time.Time {
	this := k.now().Truncate(k.rotation)
	next := this.Add(k.rotation)
	var periods []time.Time
	if len(all) == 0 || all[latest(all, k.now())].signsFrom < this.UnixMilli() {
		periods = append(periods, this)
	}
	if !slices.ContainsFunc(all, func(key signingKey) bool { return key.period == next.UnixMilli() }) {
		periods = append(periods, next)
	}
	return periods
}

// create makes the key of a period unless another replica did.
func (k *keys) create(ctx context.Context, period time.Time) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("generate a signing key: %w", err)
	}
	digest := sha256.Sum256(public)
	signsFrom := max(period.UnixMilli(), k.now().UnixMilli())
	_, err = k.db.Repeatable().ExecContext(ctx, `INSERT INTO signing_keys (id, seed, period, signs_from) VALUES ($1, $2, $3, $4) ON CONFLICT (period) DO NOTHING`,
		base64.RawURLEncoding.EncodeToString(digest[:16]), base64.StdEncoding.EncodeToString(private.Seed()), period.UnixMilli(), signsFrom)
	if err != nil {
		return fmt.Errorf("store a signing key: %w", err)
	}
	return nil
}

// forget deletes the keys that are published no more.
func (k *keys) forget(ctx context.Context) error {
	_, err := k.db.Repeatable().ExecContext(ctx,
		`DELETE FROM signing_keys WHERE signs_from < (SELECT MAX(signs_from) FROM signing_keys WHERE signs_from <= $1)`,
		k.retired().UnixMilli())
	if err != nil {
		return fmt.Errorf("delete old signing keys: %w", err)
	}
	return nil
}

// retired is the moment for which holds: the key that signed then, and later
// ones, may have signed a token that is still valid.
func (k *keys) retired() time.Time { return k.now().Add(-token.Lifetime - 2*token.Leeway) }

func (k *keys) read(ctx context.Context) ([]signingKey, error) {
	rows, err := k.db.Reads().QueryContext(ctx, `SELECT id, seed, period, signs_from FROM signing_keys ORDER BY signs_from, period`)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	defer rows.Close()
	var all []signingKey
	for rows.Next() {
		var (
			key  signingKey
			text string
		)
		if err := rows.Scan(&key.id, &text, &key.period, &key.signsFrom); err != nil {
			return nil, fmt.Errorf("read a signing key: %w", err)
		}
		seed, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("signing key %s is malformed", key.id)
		}
		key.private = ed25519.NewKeyFromSeed(seed)
		all = append(all, key)
	}
	return all, rows.Err()
}

// latest returns the index of the key that signs at the time, which is the first
// one before any does: the clock of the replica that made it may be ahead.
func latest(all []signingKey, then time.Time) int {
	for i := len(all) - 1; i > 0; i-- {
		if all[i].signsFrom <= then.UnixMilli() {
			return i
		}
	}
	return 0
}
