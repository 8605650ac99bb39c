package database

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

const (
	// statementTimeout bounds a statement with its repetition and with the wait
	// for a connection and for its turn. Services answer within 3 s.
	statementTimeout = 2500 * time.Millisecond
	// repeatPause is the pause before a statement is repeated: a server that
	// restarts is away for a moment.
	repeatPause = 200 * time.Millisecond
)

// Statements runs single statements. It bounds them in time, and what it
// returns for a database that is away, busy, full or read-only is
// [fault.Unavailable]; other errors are those of database/sql.
//
// A statement whose connection fails may have been carried out. It is repeated,
// once, only where a method says so.
type Statements struct {
	db     *DB
	on     queryer
	writes bool          // waits for its turn in SQLite
	repeat repetition    // what happens after a failed connection
	limit  time.Duration // how long one statement may take; 0: as long as its context allows
}

// queryer is a *sql.DB or a *sql.Tx.
type queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type repetition int

const (
	ifNothingDone repetition = iota
	always
	never
)

// ExecContext runs a statement that returns no rows.
func (s Statements) ExecContext(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	err = s.run(ctx, func(ctx context.Context) (err error) {
		res, err = s.on.ExecContext(ctx, query, args...)
		return err
	})
	return res, err
}

// Change runs a statement that changes one row or none, and reports whether it
// changed one. One that is repeated reports false if its first attempt did.
func (s Statements) Change(ctx context.Context, query string, args ...any) (changed bool, err error) {
	res, err := s.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// QueryRowContext returns a statement that returns at most one row. Scan runs it.
func (s Statements) QueryRowContext(ctx context.Context, query string, args ...any) Row {
	return Row{s, ctx, query, args}
}

// Row is a statement that returns at most one row.
type Row struct {
	on    Statements
	ctx   context.Context
	query string
	args  []any
}

// Scan runs the statement and copies the row. It fails with sql.ErrNoRows if
// there is none.
func (r Row) Scan(dest ...any) error {
	return r.on.run(r.ctx, func(ctx context.Context) error {
		return r.on.on.QueryRowContext(ctx, r.query, r.args...).Scan(dest...)
	})
}

// QueryContext runs a statement that returns rows.
func (s Statements) QueryContext(ctx context.Context, query string, args ...any) (*Rows, error) {
	ctx, end, err := s.start(ctx)
	if err != nil {
		return nil, s.outcome(ctx, err)
	}
	r := &Rows{on: s, ctx: ctx, end: sync.OnceFunc(end)}
	err = s.attempt(ctx, func() (err error) {
		r.Rows, err = s.on.QueryContext(ctx, query, args...)
		return err
	})
	if err != nil {
		r.end()
		return nil, s.outcome(ctx, err)
	}
	return r, nil
}

// Rows are what a statement returned. They hold a connection until they are
// read to their end or closed.
type Rows struct {
	*sql.Rows
	on  Statements
	ctx context.Context // of the statement
	end func()
	err error
}

// Next prepares the next row for Scan. After the last one, and after an error,
// it returns false.
func (r *Rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.err = r.Rows.Err() // before end cancels the context, which would become the error
	r.end()
	return false
}

// Err returns what ended the rows early.
func (r *Rows) Err() error { return r.on.outcome(r.ctx, r.err) }

// Close releases the connection.
func (r *Rows) Close() error {
	defer r.end()
	return explain(r.Rows.Close())
}

func (s Statements) run(ctx context.Context, statement func(ctx context.Context) error) error {
	ctx, end, err := s.start(ctx)
	if err != nil {
		return s.outcome(ctx, err)
	}
	defer end()
	return s.outcome(ctx, s.attempt(ctx, func() error { return statement(ctx) }))
}

// start bounds the statement and waits for its turn. The caller calls end, unless
// there is an error.
func (s Statements) start(parent context.Context) (ctx context.Context, end func(), err error) {
	ctx, cancel := parent, func() {}
	if s.limit > 0 {
		ctx, cancel = context.WithTimeout(parent, s.limit)
	}
	if !s.writes || s.db.writer == nil {
		return ctx, cancel, nil
	}
	if err := s.db.writer.Acquire(ctx, 1); err != nil {
		cancel()
		return parent, nil, err
	}
	return ctx, func() { s.db.writer.Release(1); cancel() }, nil
}

func (s Statements) attempt(ctx context.Context, statement func() error) error {
	err := statement()
	if troubleOf(err) == away {
		dropIdle(s.db.pool) // What broke this connection probably broke the others.
	}
	if err == nil || !s.mayRepeat(err) {
		return err
	}
	select {
	case <-time.After(repeatPause):
		return statement()
	case <-ctx.Done():
		return err
	}
}

func (s Statements) mayRepeat(err error) bool {
	switch s.repeat {
	case always:
		return troubleOf(err) == away || nothingDone(err)
	case never:
		return false
	default:
		return nothingDone(err)
	}
}

// outcome notes how a statement ended, for Ready, and explains the error.
func (s Statements) outcome(ctx context.Context, err error) error {
	s.db.health.note(ctx, s.writes, err)
	return explain(err)
}
