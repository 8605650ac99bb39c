package reset

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/telepresence"
)

// Remove carries out the plan, together with the attendees' kubeconfigs in dir, and
// returns when all is gone. What goes wrong with one thing stops no other; the
// error has all of it.
func (p Plan) Remove(ctx context.Context, dir string, log *progress.Log) error {
	left := leave(ctx, p.Intercepts, log) // While the pods that they end in are there.
	failed := make([]error, len(p.Classes))
	var group sync.WaitGroup
	for i, found := range p.Classes {
		group.Go(func() { failed[i] = p.cluster.Down(ctx, found, dir, log) })
	}
	_, err := p.cluster.Remove(ctx, p.Namespaces, log)
	group.Wait()
	failed = append(failed, err, left)
	if ctx.Err() != nil {
		return cmp.Or(failed...) // All say the same.
	}
	return errors.Join(failed...)
}

// leave ends intercepts of this laptop.
func leave(ctx context.Context, intercepts []string, log *progress.Log) error {
	var failed []error
	for _, name := range intercepts {
		if err := telepresence.Leave(ctx, name); err != nil {
			failed = append(failed, err)
			continue
		}
		log.Printf("%s: left", interceptName(name))
	}
	return errors.Join(failed...)
}
