package cli

import "errors"

// ExitCode returns the exit status of the program for the error of a command, which may
// be nil: 1 for an error, unless the command says otherwise.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if coded, ok := errors.AsType[*codedError](err); ok {
		return coded.code
	}
	return 1
}

// codedError is an error with an exit status of its own.
type codedError struct {
	error
	code int
}

func (e *codedError) Unwrap() error { return e.error }

// withCode gives an error an exit status; nil stays nil.
func withCode(err error, code int) error {
	if err == nil {
		return nil
	}
	return &codedError{err, code}
}
