package backing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/koshop/koshop/internal/kit/backing/engine"
	"github.com/koshop/koshop/internal/kit/process"
)

// Finder finds ways to run images. It looks at this machine once, and only for
// what it is asked.
type Finder struct {
	mode   Mode
	group  *process.Group
	engine func() (*engine.Engine, error)
	mu     sync.Mutex
	used   *engine.Engine // nil until a container may have been started
}

// NewFinder returns a finder for programs that run in a group. notes gets what
// goes wrong with the containers of earlier runs. Close must be called before the
// group's.
func NewFinder(ctx context.Context, mode Mode, group *process.Group, notes io.Writer) *Finder {
	f := &Finder{mode: mode, group: group}
	f.engine = sync.OnceValues(func() (*engine.Engine, error) { return f.startEngine(ctx, notes) })
	return f
}

// startEngine looks for an engine, and takes care that nothing is left of this
// run or of earlier ones.
func (f *Finder) startEngine(ctx context.Context, notes io.Writer) (*engine.Engine, error) {
	e, err := engine.Find(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.Sweep(ctx); err != nil {
		fmt.Fprintf(notes, "removing the containers that an earlier run has left by %s: %v\n", e, err)
	}
	f.mu.Lock()
	f.used = e
	f.mu.Unlock()
	return e, f.group.AfterKill(e.RemoveLeft()...)
}

// Find returns how to run an image: by a program of this machine, or else by a
// container engine. command and args are those of the container. The error says
// in one line why there is no way.
func (f *Finder) Find(ctx context.Context, image string, command, args []string) (Way, error) {
	local, missing := f.local(ctx, image, slices.Concat(command, args))
	if missing == nil || f.mode == Programs {
		return local, missing
	}
	e, err := f.engine()
	if err != nil {
		return nil, fmt.Errorf("%w, and no container engine: %w", missing, err)
	}
	return container{e}, nil
}

// errUnknown is the reason for images that are none of those known here.
var errUnknown = errors.New("no program is known for it")

// local returns the program of this machine for an image.
func (f *Finder) local(ctx context.Context, image string, words []string) (Way, error) {
	repository, tag := splitImage(image)
	switch repository {
	case "postgres", "postgresql":
		return findPostgres(ctx, tag, words, f.group.Run)
	case "redis":
		return findRedis(ctx, words, "redis-server", "valkey-server")
	case "valkey":
		return findRedis(ctx, words, "valkey-server", "redis-server")
	case "nats":
		return findNATS(ctx, words)
	}
	return nil, errUnknown
}

// Close removes the containers that are left.
func (f *Finder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.used == nil {
		return nil
	}
	return f.used.Close()
}
