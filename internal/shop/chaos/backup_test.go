//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/shop/database/databasetest"
)

// backup is one of the data of orders-svc.
type backup struct {
	*day
	begun time.Time
}

// tables are those of orders-svc, apart from that of the migrations.
var tables = []string{"orders", "idempotency_keys"}

// take backs the orders up while they are used.
func (b *backup) take() error {
	b.data.Lock()
	defer b.data.Unlock()
	b.begun = time.Now()
	if !b.isPostgres() {
		if err := os.RemoveAll(b.copyOf()); err != nil {
			return err
		}
		return b.exec("orders", `VACUUM INTO '`+b.copyOf()+`'`)
	}
	statements := []string{`BEGIN ISOLATION LEVEL REPEATABLE READ`, `DROP SCHEMA IF EXISTS backup CASCADE`, `CREATE SCHEMA backup`}
	for _, table := range tables {
		statements = append(statements, `CREATE TABLE backup.`+table+` AS TABLE orders.`+table)
	}
	return b.exec("orders", strings.Join(append(statements, `COMMIT`), "; "))
}

// restore replaces the orders by those of the backup while orders-svc is stopped.
func (b *backup) restore() (err error) {
	b.data.Lock()
	defer b.data.Unlock()
	for _, p := range b.orders.replicas {
		if err := p.kill(); err != nil {
			return err
		}
	}
	if b.isPostgres() {
		err = b.restorePostgres()
	} else {
		err = b.restoreSQLite()
	}
	b.restores = append(b.restores, restore{b.begun, time.Now()})
	for _, p := range b.orders.replicas {
		err = errors.Join(err, p.start())
	}
	return err
}

func (b *backup) restorePostgres() error {
	var statements []string
	for _, table := range tables {
		statements = append(statements, `DELETE FROM orders.`+table, `INSERT INTO orders.`+table+` SELECT * FROM backup.`+table)
	}
	return b.exec("orders", strings.Join(statements, "; ")) // one transaction
}

func (b *backup) restoreSQLite() error {
	file := b.file()
	for _, old := range []string{file, file + "-wal", file + "-shm"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	data, err := os.ReadFile(b.copyOf())
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("restore the orders: %w", err)
	}
	return nil
}

func (b *backup) file() string {
	return strings.TrimPrefix(databasetest.For(b.database, "orders"), "sqlite:")
}

func (b *backup) copyOf() string { return b.file() + ".backup" }
