package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/koshop/koshop/internal/shop/fault"
)

// trouble is a reason, other than the statement, for which a database did not
// carry a statement out. All of them pass, without a change of the service.
type trouble int

const (
	none     trouble = iota // the statement is wrong, or the caller has gone
	away                    // it cannot be reached, or the connection broke
	late                    // it did not answer in time
	busy                    // another one holds a lock for too long
	readOnly                // it takes no writes
	full                    // it has no space left
)

// texts are what clients are told when a statement failed, and while the service
// waits for its database.
var texts = map[trouble]struct{ failed, waiting string }{
	away:     {"The service cannot reach its data, try again", "cannot be reached"},
	late:     {"The database did not answer in time, try again", "does not answer"},
	busy:     {"The database is locked, try again", "is locked"},
	readOnly: {"The service cannot store anything now: its database is read-only, try again later", "is read-only"},
	full:     {"The service cannot store anything now: its database is full, try again later", "is full"},
}

// explain turns an error of a driver into a fault, if a trouble of the database
// is its reason.
func explain(err error) error {
	var f *fault.Error
	if t := troubleOf(err); t != none && !errors.As(err, &f) {
		return fault.Wrap(err, fault.Unavailable, "%s", texts[t].failed)
	}
	return err
}

// troubleOf is the one place that knows the errors of both drivers.
func troubleOf(err error) trouble {
	var (
		lite       *sqlite.Error
		postgres   *pgconn.PgError
		connecting *pgconn.ConnectError
		network    net.Error
	)
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return none
	case errors.Is(err, context.DeadlineExceeded):
		return late
	case errors.As(err, &lite):
		return sqliteTrouble(lite.Code())
	case errors.As(err, &connecting): // also a password that is refused: it may just have changed
		return away
	case errors.As(err, &postgres):
		return postgresTrouble(postgres.Code)
	case errors.As(err, &network) && network.Timeout():
		return late
	case errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, pgconn.ErrConnClosed),
		errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return away
	default:
		return none
	}
}

// postgresTrouble reads a SQLSTATE; see
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func postgresTrouble(code string) trouble {
	switch code {
	case "25006": // read_only_sql_transaction
		return readOnly
	case "53100": // disk_full
		return full
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return busy
	case "57014", "25P03", "57P05": // query_canceled by a timeout of the server; idle for too long
		return late
	case "58030": // io_error
		return away
	}
	switch {
	case strings.HasPrefix(code, "08"), // connection exceptions
		strings.HasPrefix(code, "53"),  // too many connections, out of memory and the like
		strings.HasPrefix(code, "57P"): // the server stops, has crashed or is starting
		return away
	default:
		return none
	}
}

// Result codes of SQLite; the lower byte of an extended code is its primary
// one. See https://www.sqlite.org/rescode.html.
const (
	sqliteBusy      = 5
	sqliteLocked    = 6
	sqliteNoMemory  = 7
	sqliteReadOnly  = 8
	sqliteInterrupt = 9
	sqliteIOError   = 10
	sqliteFull      = 13
	sqliteCantOpen  = 14
	sqliteProtocol  = 15 // several processes open the write-ahead log at once

	sqliteShmSize = sqliteIOError | 19<<8 // no space for the index of the write-ahead log
)

func sqliteTrouble(code int) trouble {
	if code == sqliteShmSize {
		return full
	}
	switch code & 0xff {
	case sqliteBusy, sqliteLocked, sqliteProtocol:
		return busy
	case sqliteReadOnly:
		return readOnly
	case sqliteFull:
		return full
	case sqliteInterrupt:
		return late
	case sqliteIOError, sqliteCantOpen, sqliteNoMemory:
		return away
	default:
		return none
	}
}

// nothingDone reports whether a statement that failed certainly changed nothing:
// it never got to the server, or the server took it back to end a deadlock.
func nothingDone(err error) bool {
	var (
		connecting *pgconn.ConnectError
		postgres   *pgconn.PgError
	)
	return errors.As(err, &connecting) || errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err) ||
		errors.As(err, &postgres) && (postgres.Code == "40001" || postgres.Code == "40P01")
}
