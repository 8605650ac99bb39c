package reload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/reload/parcel"
)

// lookAgain is how often it is looked whether a pod has started.
const lookAgain = 200 * time.Millisecond

// delivery is what became of a reload in the pods.
type delivery struct {
	targets []target
	sent    int      // bytes that crossed to the pod that took most
	notes   []string // for people
}

// spread brings a program into all pods. It waits for those that start meanwhile, and
// fails if one is left that does not run what was sent: the Service would answer with
// the old code every now and then.
func (r *Reload) spread(ctx context.Context, packed *parcel.Parcel, task *progress.Task) (*delivery, error) {
	late := time.Now().Add(r.Timeout)
	reached, recorded := map[run]bool{}, false
	done := &delivery{}
	for {
		found, err := find(ctx, r.Cluster, r.Selector, r.program.ImportPath)
		if err != nil {
			return nil, err
		}
		if len(reached) == 0 && found.isNone() {
			return nil, &NoTargetsError{found}
		}
		next := slices.DeleteFunc(slices.Clone(found.running), func(t target) bool { return reached[t.run] })
		switch {
		case len(next) > 0:
			if err := r.deliver(ctx, next, packed, task, done); err != nil {
				return nil, errors.Join(err, found.others())
			}
			for _, t := range done.targets {
				reached[t.run] = true
			}
			continue // Others may have started meanwhile.
		case len(found.starting) == 0 && len(found.failing) > 0:
			return nil, found.others()
		case len(found.starting) == 0 && recorded:
			return done, nil
		case len(found.starting) == 0:
			// A pod that is made from now on begins with it, and one that was made before
			// is seen once more.
			if err := r.record(ctx, packed, done.targets); err != nil {
				done.notes = append(done.notes, fmt.Sprintf("pods that are made from now on begin with their image: %v", err))
			}
			recorded = true
			continue
		case time.Now().After(late):
			return nil, fmt.Errorf("after %v, these do not run the program: %s", r.Timeout, strings.Join(found.starting, ", "))
		}
		task.Step("waiting for " + found.starting[0])
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(lookAgain):
		}
	}
}

// deliver brings the program into containers. What becomes of one that has gone
// meanwhile, with its pod or by a restart, does not count.
func (r *Reload) deliver(ctx context.Context, to []target, packed *parcel.Parcel, task *progress.Task, done *delivery) error {
	if r.Debug {
		task.Step("preparing the debugger")
		debugger, err := r.bringDebugger(ctx, to)
		if err != nil {
			return err
		}
		packed.RunUnder(debugger)
	}
	task.Step("sending")
	sent := transferAll(ctx, r.Cluster, to, packed, r.early)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var failed []transferred
	for _, each := range sent {
		if each.err != nil {
			failed = append(failed, each)
			continue
		}
		done.targets = append(done.targets, each.target)
		done.sent = max(done.sent, each.sent)
		if each.note != "" && !slices.Contains(done.notes, each.note) {
			done.notes = append(done.notes, each.note)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	now, err := find(ctx, r.Cluster, r.Selector, r.program.ImportPath)
	if err != nil {
		return err
	}
	for _, each := range failed {
		if slices.ContainsFunc(now.running, func(t target) bool { return t.run == each.run }) {
			err = errors.Join(err, each.problem())
		}
	}
	return err
}

// others says which containers do not run the program that others run; it is nil if
// there are none.
func (f *targets) others() error {
	if len(f.failing) == 0 {
		return nil
	}
	return fmt.Errorf("these do not run the program, because they do not run at all: %s", strings.Join(f.failing, ", "))
}
