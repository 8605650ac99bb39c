package database

import (
	"context"
	"fmt"
	"time"

	"github.com/koshop/koshop/internal/shop/telemetry"
)

// purgePiece is how many rows a purge deletes at a time, at most: other statements
// run in between.
const purgePiece = 1000

// Purge says which rows of a table are deleted. The names and the condition become
// part of a statement: they are constants, never values from outside.
type Purge struct {
	Table string                    // such as idempotency_keys
	Key   string                    // the columns of its primary key, such as "user_id, idempotency_key"
	Where string                    // which rows; an index should find them
	Args  func(now time.Time) []any // of the condition: $1, $2, …
	Every time.Duration             // how often they are looked for
}

// Purge deletes rows at once and then at intervals, until ctx ends. The log gets one
// line when it begins to fail, and one when it works again.
func (db *DB) Purge(ctx context.Context, p Purge) {
	tick := time.NewTicker(p.Every)
	defer tick.Stop()
	for failed := false; ; {
		failed = db.purgeOnce(ctx, p, failed)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// purgeOnce deletes all rows of now. It reports whether that failed.
func (db *DB) purgeOnce(ctx context.Context, p Purge, failedBefore bool) (failed bool) {
	ctx, end := telemetry.Start(ctx, "purge "+p.Table)
	defer end()
	statement := fmt.Sprintf(`DELETE FROM %[1]s WHERE (%[2]s) IN (SELECT %[2]s FROM %[1]s WHERE %[3]s LIMIT %[4]d)`, p.Table, p.Key, p.Where, purgePiece)
	args := p.Args(time.Now())
	for {
		deleted, err := db.Repeatable().Change(ctx, statement, args...)
		switch {
		case ctx.Err() != nil:
			return failedBefore
		case err != nil:
			if !failedBefore {
				db.log.WarnContext(ctx, "cannot delete old rows", "table", p.Table, "error", err.Error())
			}
			return true
		case !deleted:
			if failedBefore {
				db.log.InfoContext(ctx, "old rows are deleted again", "table", p.Table)
			}
			return false
		}
	}
}
