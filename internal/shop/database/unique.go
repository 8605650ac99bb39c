package database

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

const (
	// postgresUnique is PostgreSQL's code unique_violation
	// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
	postgresUnique = "23505"
	// sqliteUnique is SQLite's code SQLITE_CONSTRAINT_UNIQUE
	// (https://www.sqlite.org/rescode.html).
	sqliteUnique = 2067
)

// IsUnique reports whether a statement failed because a unique index has the row
// already.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == postgresUnique
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqliteUnique
}
