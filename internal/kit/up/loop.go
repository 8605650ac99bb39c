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
	"github.com/koshop/koshop/internal/kit/up/board"
	"github.com/koshop/koshop/internal/kit/up/builds"
	"github.com/koshop/koshop/internal/kit/up/replica"
	"github.com/koshop/koshop/internal/kit/up/routes"
	"github.com/koshop/koshop/internal/kit/up/state"
	"github.com/koshop/koshop/internal/kit/watch"
	"github.com/koshop/koshop/internal/kit/workload"
)

// loop decides what runs. It alone changes what it holds.
type loop struct {
	opts    Options
	state   *state.Dir
	group   *process.Group
	finder  *backing.Finder
	watcher *watch.Watcher
	routes  *routes.Routes
	board   *board.Board
	logs    *logs
	builds  *builds.Builds
	machine *replica.Machine

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
		opts: opts, replicas: map[string]*replicas{}, shown: map[string]bool{},
		board: board.New(opts.Log, opts.Err, opts.Colour), logs: newLogs(opts),
	}
	if l.group, err = process.NewGroup(); err != nil {
		return l, err
	}
	l.finder = backing.NewFinder(ctx, opts.Images, l.group, opts.Err)
	if l.plan, l.given, err = l.render(ctx); err != nil {
		return l, err
	}
	if l.state, err = state.Open(opts.State); err != nil {
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
	if l.routes, err = routes.New(l.given.port, l.board.Explain); err != nil {
		return l, err
	}
	l.builds = builds.New(compile.New(settings, l.group, l.state.Run()), l.state.Executables(), l.state.Run())
	l.machine = replica.NewMachine(l.state, l.group, l.finder, l.routes)
	return l, l.routes.Lead(l.plan, l.given.services)
}

func (l *loop) close() {
	if l.watcher != nil {
		l.watcher.Close()
	}
	if l.routes != nil {
		l.routes.Close()
	}
	if l.finder != nil {
		l.finder.Close()
	}
	if l.group != nil {
		l.group.Close()
	}
	if l.state != nil {
		l.state.Close()
	}
}

func (l *loop) run(ctx context.Context) error {
	l.late.begin(ctx)
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		l.builds.Wait()
		l.slots.Wait()
		l.late.end()
	}()
	l.note(nil)
	l.watch() // Until more is known, a mistake is corrected in these.
	l.reconcile(ctx)
	for {
		select {
		case <-ctx.Done():
			l.board.Stopping()
			return nil
		case files := <-l.watcher.Changes():
			l.changed(ctx, files)
		case done := <-l.builds.Finished:
			l.built(ctx, done)
		case found := <-l.builds.Listed:
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
	if touched(l.builds.SettingsFiles(), files) && l.reconfigure(ctx) {
		return
	}
	for _, importPath := range l.builds.Affected(files) {
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
	dirs := l.builds.Dirs()
	for _, file := range l.builds.SettingsFiles() {
		dirs = append(dirs, filepath.Dir(file))
	}
	for _, file := range l.rendered {
		dirs = append(dirs, filepath.Dir(file))
	}
	slices.Sort(dirs)
	if err := l.watcher.Set(slices.Compact(dirs)); err != nil {
		l.board.Alert("Error: %v", err)
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
