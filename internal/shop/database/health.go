package database

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/shop/fault"
	"github.com/koshop/koshop/internal/shop/telemetry"
)

const (
	// freshness is how long a write that succeeded is proof that writes succeed.
	freshness = 5 * time.Second
	// probeSize is how many bytes the probe writes to find out whether a database
	// that was full has space again. A small write may fit where others do not.
	probeSize = 64 << 10
)

// health is what is known about the database.
type health struct {
	log   *slog.Logger
	mu    sync.Mutex
	waits trouble   // what Open waits for; none once it is open
	stuck trouble   // why the last writes failed: readOnly, full or none
	wrote time.Time // when a write last succeeded
}

func (h *health) opened() { h.waitsFor(none) }

func (h *health) waitsFor(t trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waits = t
}

// note takes in how a statement ended.
func (h *health) note(ctx context.Context, write bool, err error) {
	t := troubleOf(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil && write:
		h.wrote = time.Now()
	case (t == readOnly || t == full) && h.stuck != t:
		h.stuck = t
		ctx, end := telemetry.Start(ctx, "note that the database takes no writes")
		defer end()
		h.log.WarnContext(ctx, "the database takes no writes", "error", err.Error())
	}
}

// recovered notes that the probe, which needs more space than other writes, was
// written.
func (h *health) recovered(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stuck != none {
		h.stuck = none
		ctx, end := telemetry.Start(ctx, "note that the database takes writes")
		defer end()
		h.log.InfoContext(ctx, "the database takes writes again")
	}
}

func (h *health) read() (waits, stuck trouble, fresh bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.waits, h.stuck, time.Since(h.wrote) < freshness
}

// Ready returns nil if the database carries out statements, those that write
// included. Otherwise it returns a fault that says what is wrong.
//
// A database that became read-only or full still answers, so that it takes a
// write to notice. Other writes are proof enough for a while; else a row of the
// service's own is written, which works as well when no request comes.
func (db *DB) Ready(ctx context.Context) error {
	waits, stuck, fresh := db.health.read()
	switch {
	case waits != none:
		return fault.New(fault.Unavailable, "The service waits for its database, which %s", texts[waits].waiting)
	case stuck == none && fresh:
		return db.ping(ctx)
	}
	size := 1
	if stuck != none {
		size = probeSize
	}
	if stuck == readOnly {
		dropIdle(db.pool) // A new connection may lead to a server that takes writes.
	}
	if err := db.probe(ctx, size); err != nil {
		return err
	}
	db.health.recovered(ctx)
	return nil
}

// ping leaves it to the callers to ask again.
func (db *DB) ping(ctx context.Context) error {
	return Statements{db: db, repeat: never, limit: statementTimeout}.run(ctx, db.pool.PingContext)
}

func (db *DB) probe(ctx context.Context, size int) error {
	filler := make([]byte, size)
	rand.Read(filler) // so that it cannot be compressed
	_, err := db.Repeatable().ExecContext(ctx,
		`INSERT INTO write_probe (id, filler) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET filler = excluded.filler`,
		base64.StdEncoding.EncodeToString(filler))
	return err
}
