package up

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/koshop/koshop/internal/kit/compile"
)

// reconfigure builds everything with changed settings, if there is no mistake in
// them.
func (l *loop) reconfigure(ctx context.Context) (done bool) {
	compiler, err := compile.New(l.opts.Build, l.group, l.state.run())
	if err != nil {
		l.board.alert("Error: %v", err)
		return false
	}
	l.builds.compiler = compiler
	l.listAgain(ctx)
	unlisted := l.builds.unlisted()
	for _, importPath := range l.builds.importPaths() {
		if !slices.Contains(unlisted, importPath) {
			l.build(ctx, importPath)
		}
	}
	return true
}

func (l *loop) build(ctx context.Context, importPath string) {
	for _, r := range l.users(importPath) {
		l.board.building(r.workload)
	}
	l.builds.start(ctx, importPath)
}

// built rolls out what was built, or shows why it was not.
func (l *loop) built(ctx context.Context, done build) {
	a := l.builds.artifacts[done.importPath]
	switch {
	case a == nil: // Nobody runs it any more.
		done.discard("")
		return
	case a.serial != done.serial: // Another build has overtaken it.
		done.discard(a.executable)
		return
	}
	l.builds.list(ctx, done.importPath) // Code that does not compile has other files too.
	if done.err != nil {
		l.broken(a, done.err)
		return
	}
	a.failure = ""
	unchanged := a.executable == done.executable
	if !unchanged {
		a.renew(done)
	}
	for _, r := range l.users(done.importPath) {
		l.board.built(r.workload, done.took, unchanged)
		if unchanged {
			r.nudge()
		} else {
			l.roll(r, r.slots, done.took, done.since)
		}
	}
}

// broken shows what keeps an import path from being built: once after each
// change, if it is the same for several.
func (l *loop) broken(a *artifact, err error) {
	a.failure = failure(err)
	known := l.shown[a.failure]
	l.shown[a.failure] = true
	for _, r := range l.users(a.importPath) {
		l.board.broken(r.workload)
		for _, s := range r.slots {
			s.pass() // A Job that cannot be built has had its turn.
		}
	}
	if !known {
		l.board.alert("%v", err)
	}
}

// failure is what several import paths have in common that fail alike.
func failure(err error) string {
	if failed, ok := errors.AsType[*compile.CompileError](err); ok {
		return failed.Output
	}
	return err.Error()
}

// listed watches what an import path is made of. Files that were not watched
// before may have changed meanwhile: it is built, for the first time or once more.
func (l *loop) listed(ctx context.Context, found listing) {
	a := l.builds.artifacts[found.importPath]
	if a == nil {
		return // Nobody runs it any more.
	}
	if found.err != nil {
		if a.failure == "" { // Otherwise the build has said it.
			l.broken(a, found.err)
		}
		if a.inputs == nil && l.relist == nil {
			l.relist = time.After(relistEvery)
		}
		return
	}
	news := a.inputs == nil || !slices.Equal(a.inputs.Dirs(), found.inputs.Dirs())
	a.found(found.inputs)
	if news {
		l.watch()
		l.build(ctx, found.importPath)
	}
}

// relistEvery is how often it is looked whether a package is there by now of
// which nothing is known, not even what to watch.
const relistEvery = 2 * time.Second

func (l *loop) listAgain(ctx context.Context) {
	for _, importPath := range l.builds.unlisted() {
		l.builds.list(ctx, importPath)
	}
}

// users returns the workloads that run an import path.
func (l *loop) users(importPath string) []*replicas {
	var users []*replicas
	for _, w := range l.plan.Workloads {
		if r := l.replicas[name(w)]; r != nil && slices.Contains(w.ImportPaths(), importPath) {
			users = append(users, r)
		}
	}
	return users
}
