package up

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/watch"
	"github.com/koshop/koshop/internal/kit/workload"
)

// loop decides what runs. It alone changes what it holds.
type loop struct {
	opts    Options
	state   *state
	group   *process.Group
	finder  *backing.Finder
	watcher *watch.Watcher
	routes  *routes
	board   *board
	logs    *logs
	builds  *builds
	jobs    *gate
	ports   *ports

	plan     *workload.Plan
	given    *given
	rendered []string // files that the plan was made from
	replicas map[string]*replicas
	slots    sync.WaitGroup
	late     lateSlots
	relist   <-chan time.Time // nil unless it is due
	shown    map[string]bool  // failures that were shown since the last change
}

// newLoop opens what a run needs; close must be called even if it fails.
func newLoop(ctx context.Context, opts Options) (l *loop, err error) {
	l = &loop{
		opts: opts, replicas: map[string]*replicas{}, shown: map[string]bool{}, jobs: newGate(), ports: newPorts(),
		board: newBoard(opts), logs: newLogs(opts),
	}
	if l.group, err = process.NewGroup(); err != nil {
		return l, err
	}
	l.finder = backing.NewFinder(ctx, opts.Images, l.group, opts.Err)
	if l.plan, l.given, err = l.render(ctx); err != nil {
		return l, err
	}
	if l.state, err = openState(opts.State); err != nil {
		return l, err
	}
	if err := l.accept(l.plan, l.given); err != nil {
		return l, err
	}
	settings, err := program.Load(opts.Build, l.group.Run)
	if err != nil {
		return l, err
	}
	if l.watcher, err = watch.New(l.given.watch, l.polls); err != nil {
		return l, err
	}
	if l.routes, err = newRoutes(l.given.port, l.board.explain); err != nil {
		return l, err
	}
	l.builds = newBuilds(compile.New(settings, l.group, l.state.run()), l.state.executables(), l.state.run())
	return l, l.routes.lead(l.plan, l.given.services)
}

func (l *loop) close() {
	if l.watcher != nil {
		l.watcher.Close()
	}
	if l.routes != nil {
		l.routes.close()
	}
	if l.finder != nil {
		l.finder.Close()
	}
	if l.group != nil {
		l.group.Close()
	}
	if l.state != nil {
		l.state.close()
	}
}

func (l *loop) run(ctx context.Context) error {
	l.late.begin(ctx)
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		l.builds.running.Wait()
		l.slots.Wait()
		l.late.end()
	}()
	l.note(nil)
	l.watch() // Until more is known, a mistake is corrected in these.
	l.reconcile(ctx)
	for {
		select {
		case <-ctx.Done():
			l.board.stopping()
			return nil
		case files := <-l.watcher.Changes():
			l.changed(ctx, files)
		case done := <-l.builds.finished:
			l.built(ctx, done)
		case found := <-l.builds.listed:
			l.listed(ctx, found)
		case <-l.relist:
			l.relist = nil
			l.listAgain(ctx)
		}
	}
}

// polls says that changes below a directory are looked for, because its file
// system does not report them.
func (l *loop) polls(dir, fileSystem string) {
	l.opts.Log.Printf("%s is on a file system (%s) that does not report changes: it is polled for them, as --watch=poll does; --watch=events turns that off", dir, fileSystem)
}

// changed acts on changed files.
func (l *loop) changed(ctx context.Context, files []string) {
	clear(l.shown)
	if touched(l.rendered, files) {
		l.rerender(ctx)
	}
	if touched(l.builds.compiler.SettingsFiles(), files) && l.reconfigure(ctx) {
		return
	}
	for _, importPath := range l.builds.affected(files) {
		l.build(ctx, importPath)
	}
}

// touched tells whether one of the files is among the changed ones, or stands
// in a directory that changed in an unknown way.
func touched(files, changed []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		return slices.Contains(changed, file) || slices.Contains(changed, filepath.Dir(file))
	})
}

// watch watches the files that everything is made of.
func (l *loop) watch() {
	dirs := l.builds.dirs()
	for _, file := range l.builds.compiler.SettingsFiles() {
		dirs = append(dirs, filepath.Dir(file))
	}
	for _, file := range l.rendered {
		dirs = append(dirs, filepath.Dir(file))
	}
	slices.Sort(dirs)
	if err := l.watcher.Set(slices.Compact(dirs)); err != nil {
		l.board.alert("Error: %v", err)
	}
}

// lateSlots are those of databases and the like, which end after the programs
// that use them.
type lateSlots struct {
	sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
}

func (l *lateSlots) begin(ctx context.Context) {
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
}

func (l *lateSlots) end() {
	l.cancel()
	l.Wait()
}
