// Package fault holds the error codes of the shop's domain.
//
// Code below the HTTP layer returns a *Error; package web turns it into an
// answer. An error of any other type is internal: it is logged and the client
// learns nothing about it.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// Code says what kind of failure an Error is.
type Code string

// The codes. Package web maps each to one HTTP status.
const (
	BadRequest   Code = "bad_request"  // the request cannot be carried out as sent
	Invalid      Code = "invalid"      // a field has a value that is not accepted
	Unauthorized Code = "unauthorized" // the caller did not prove who they are
	Forbidden    Code = "forbidden"    // the caller may not do this
	NotFound     Code = "not_found"    // the thing does not exist, or not for the caller
	Conflict     Code = "conflict"     // the thing is in a state that does not allow this
	TooMany      Code = "too_many"     // the caller asks too often; try again later
	Unavailable  Code = "unavailable"  // this service cannot answer now; try again
	Upstream     Code = "upstream"     // a service behind this one is down or failed
	Timeout      Code = "timeout"      // a service behind this one did not answer in time
	Internal     Code = "internal"     // anything else
)

// PaymentID is a member of an Error: the payment that paid for the order. It is
// the only member that one service passes on for another.
const PaymentID = "payment_id"

// Error is a failure that a client may be told about.
type Error struct {
	Code   Code
	Detail string // for the client: one sentence, no internals
	Err    error  // for the log: the cause; may be nil
	// RetryAfter is when a client may try again, if that makes sense for the code; 0
	// means soon.
	RetryAfter time.Duration
	// Members are further members of the answer, such as PaymentID; may be nil.
	Members map[string]string
}

// New returns an Error with a formatted detail for the client.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Wrap is New with a cause that goes to the log only.
func Wrap(err error, code Code, format string, args ...any) *Error {
	e := New(code, format, args...)
	e.Err = err
	return e
}

// With returns a copy of the Error that has one more member for the client.
func (e *Error) With(member, value string) *Error {
	with := *e
	with.Members = maps.Clone(e.Members)
	if with.Members == nil {
		with.Members = map[string]string{}
	}
	with.Members[member] = value
	return &with
}

// Error returns the detail and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Detail
	}
	return e.Detail + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first Error in err's chain, Internal for any
// other error and "" for nil.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	default:
		return Internal
	}
}

// Is reports whether err carries the code.
func Is(err error, code Code) bool { return CodeOf(err) == code }
