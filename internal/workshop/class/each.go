package class

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// each runs do for every name, a few at a time, and returns what went wrong with
// which. When it is interrupted, that is the error.
func each(ctx context.Context, names []string, do func(i int, name string) error) error {
	failed := make([]error, len(names))
	var group errgroup.Group
	group.SetLimit(concurrency)
	for i, name := range names {
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			if err := do(i, name); err != nil {
				failed[i] = fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("%w: what was done stays; the same command goes on with the rest", context.Cause(ctx))
	}
	return errors.Join(failed...)
}
