package watch

import (
	"errors"
	"fmt"
	"syscall"
)

// explain says how to raise the limits that watchers run into; see inotify(7).
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("this user watches as many files as the system allows; "+
			"raise the limit with `sudo sysctl fs.inotify.max_user_watches=524288`, or do without with --watch=poll: %w", err)
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("too many open files or watching programs; "+
			"raise the limits with `ulimit -n 65536` and, on Linux, `sudo sysctl fs.inotify.max_user_instances=1024`, or do without with --watch=poll: %w", err)
	}
	return err
}
