//go:build linux

package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/database"
	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

// day breaks replicas and databases, one of each at a time.
type day struct {
	*shop
	t         *testing.T
	processes *rand.Rand
	databases *rand.Rand
	data      sync.Mutex // keeps the databases as they are while orders are restored
	restores  restores

	mu   sync.Mutex
	done map[string]int // faults by their kind
}

// run breaks things until ctx ends. Afterwards everything is up again.
func (d *day) run(ctx context.Context, l *ledger, attempts int) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { d.breakProcesses(ctx, l, attempts) })
	all.Go(func() {
		for rest(ctx, d.databases, time.Second) {
			d.breakDatabase()
		}
	})
}

// rest waits for up to d, and reports whether ctx is still alive.
func rest(ctx context.Context, random *rand.Rand, d time.Duration) bool {
	select {
	case <-time.After(d/4 + time.Duration(random.Int64N(int64(d)))):
		return true
	case <-ctx.Done():
		return false
	}
}

// breakProcesses breaks replicas. Twice in a day the orders are backed up, and
// restored some attempts later.
func (d *day) breakProcesses(ctx context.Context, l *ledger, attempts int) {
	b := &backup{day: d}
	plan := []struct {
		percent int // of the attempts
		name    string
		do      func() error
	}{{20, "orders backed up", b.take}, {30, "orders restored", b.restore}, {60, "orders backed up", b.take}, {70, "orders restored", b.restore}}
	for rest(ctx, d.processes, 600*time.Millisecond) {
		if len(plan) == 0 || l.count.Load() < int64(plan[0].percent*attempts/100) {
			d.breakReplica()
			continue
		}
		d.note(plan[0].name, plan[0].do())
		plan = plan[1:]
	}
}

func (d *day) breakReplica() {
	some := append(d.orders.replicas[:replicas:replicas], d.payments.replicas...)
	p := some[d.processes.IntN(len(some))]
	if d.processes.IntN(3) > 0 {
		d.note(p.name+" frozen", p.freeze(upTo(d.processes, 200*time.Millisecond, 2*time.Second)))
		return
	}
	if err := p.kill(); err != nil {
		d.t.Error(err)
		return
	}
	time.Sleep(upTo(d.processes, 0, 300*time.Millisecond))
	d.note(p.name+" killed", p.start())
}

func (d *day) breakDatabase() {
	d.data.Lock()
	defer d.data.Unlock()
	service := []string{"orders", "payments"}[d.databases.IntN(2)]
	long := upTo(d.databases, 100*time.Millisecond, time.Second)
	if !d.isPostgres() {
		d.note(service+" locked", d.lock(service, long))
		return
	}
	switch d.databases.IntN(3) {
	case 0:
		d.note("PostgreSQL crashed", databasetest.CrashPostgres())
	case 1:
		d.note("PostgreSQL frozen", databasetest.FreezePostgres(long))
	case 2:
		d.note("connections of "+service+" ended", d.exec(service,
			`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '`+service+`' AND pid <> pg_backend_pid()`))
	}
}

// lock holds the lock for writing to a SQLite file.
func (d *day) lock(service string, long time.Duration) error {
	db, err := d.openData(d.t.Context(), service)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.Transaction(d.t.Context(), func(database.Statements) error { // immediate, as all transactions are
		time.Sleep(long)
		return nil
	})
	if err != nil {
		return fmt.Errorf("lock the %s: %w", service, err)
	}
	return nil
}

// exec executes statements on the data of a service.
func (d *day) exec(service string, statements ...string) error {
	db, err := d.openData(d.t.Context(), service)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(d.t.Context(), statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func upTo(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// note counts a fault. That it could not be made is a failure of the test.
func (d *day) note(what string, err error) {
	if err != nil {
		d.t.Errorf("%s: %v", what, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done[what]++
}
