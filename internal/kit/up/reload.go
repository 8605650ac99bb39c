package up

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/up/builds"
)

// reconfigure builds everything with changed settings, if there is no mistake in
// them.
func (l *loop) reconfigure(ctx context.Context) (done bool) {
	settings, err := program.Load(l.opts.Build, l.group.Run)
	if err != nil {
		l.board.Alert("Error: %v", err)
		return false
	}
	l.builds.Use(compile.New(settings, l.group, l.state.Run()))
	l.listAgain(ctx)
	unlisted := l.builds.Unlisted()
	for _, importPath := range l.builds.ImportPaths() {
		if !slices.Contains(unlisted, importPath) {
			l.build(ctx, importPath)
		}
	}
	return true
}

func (l *loop) build(ctx context.Context, importPath string) {
	for _, r := range l.users(importPath) {
		l.board.Building(r.workload)
	}
	l.builds.Start(ctx, importPath)
}

// built rolls out what was built, or shows why it was not.
func (l *loop) built(ctx context.Context, done builds.Build) {
	a, changed := l.builds.Take(done)
	if a == nil {
		return
	}
	l.builds.List(ctx, done.ImportPath) // Code that does not compile has other files too.
	if done.Err != nil {
		l.broken(a, done.Err)
		return
	}
	for _, r := range l.users(done.ImportPath) {
		l.board.Built(r.workload, done.Took, !changed)
		if changed {
			l.roll(r, r.slots, done.Took, done.Since)
		} else {
			r.nudge()
		}
	}
}

// broken shows what keeps an import path from being built: once after each
// change, if it is the same for several.
func (l *loop) broken(a *builds.Artifact, err error) {
	a.Failure = failure(err)
	known := l.shown[a.Failure]
	l.shown[a.Failure] = true
	var users []string
	for _, r := range l.users(a.ImportPath) {
		users = append(users, r.workload.String())
		l.board.Broken(r.workload)
		for _, s := range r.slots {
			s.Pass() // A Job that cannot be built has had its turn.
		}
	}
	switch _, isCode := errors.AsType[*program.CompileError](err); {
	case known:
	case isCode:
		l.board.Alert("%v", err)
	default: // The manifests may name the wrong program.
		l.board.Alert("%s: %v", strings.Join(users, ", "), err)
	}
}

// failure is what several import paths have in common that fail alike.
func failure(err error) string {
	if failed, ok := errors.AsType[*program.CompileError](err); ok {
		return failed.Output
	}
	return err.Error()
}

// listed watches what an import path is made of. Files that were not watched
// before may have changed meanwhile: it is built, for the first time or once more.
func (l *loop) listed(ctx context.Context, found builds.Listing) {
	a := l.builds.Artifact(found.ImportPath)
	if a == nil {
		return // Nobody runs it any more.
	}
	if found.Err != nil {
		if a.Failure == "" { // Otherwise the build has said it.
			l.broken(a, found.Err)
		}
		if !a.IsListed() && l.relist == nil {
			l.relist = time.After(relistEvery)
		}
		return
	}
	if a.Found(found.Inputs) {
		l.watch()
		l.build(ctx, found.ImportPath)
	}
}

// relistEvery is how often it is looked whether a package is there by now of
// which nothing is known, not even what to watch.
const relistEvery = 2 * time.Second

func (l *loop) listAgain(ctx context.Context) {
	for _, importPath := range l.builds.Unlisted() {
		l.builds.List(ctx, importPath)
	}
}

// users returns the workloads that run an import path.
func (l *loop) users(importPath string) []*replicas {
	var users []*replicas
	for _, w := range l.plan.Workloads {
		if r := l.replicas[w.ID()]; r != nil && slices.Contains(w.ImportPaths(), importPath) {
			users = append(users, r)
		}
	}
	return users
}
