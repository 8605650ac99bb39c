//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd

package cli

import (
	"context"
	"os"
)

// quitOnKey does nothing here: Ctrl-C is the way out.
func quitOnKey(context.Context, *os.File, func()) (restore func()) { return func() {} }
