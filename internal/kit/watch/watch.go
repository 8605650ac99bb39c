// Package watch tells which files changed in a set of directories, in batches:
// saving a file, checking out a branch and moving a directory are one each. It
// keeps up with directories that are removed and made again.
//
// It takes events of the system, or polls: see [Mode].
package watch

import (
	"errors"
	"fmt"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// Watcher watches directories. Its methods may be called concurrently.
type Watcher struct {
	fs      *fsnotify.Watcher // nil with mode Poll
	queue   *queue
	poller  *poller
	choice  *choice
	changes chan []string
	sets    chan set
	closed  chan struct{}
	close   func() error
	running sync.WaitGroup
}

// set is a call of Set.
type set struct {
	dirs   []string
	result chan error
}

// New starts a watcher that watches nothing. It is to be closed. The function
// polls, which may be nil, is called when mode Auto comes to poll for the first
// time, with a directory and the name of its file system.
func New(mode Mode, polls func(dir, fileSystem string)) (*Watcher, error) {
	w := &Watcher{
		queue:   newQueue(),
		poller:  newPoller(),
		choice:  newChoice(mode, polls),
		changes: make(chan []string),
		sets:    make(chan set),
		closed:  make(chan struct{}),
	}
	w.close = sync.OnceValue(w.shutDown)
	if mode != Poll {
		fs, err := fsnotify.NewWatcher()
		if err != nil {
			return nil, fmt.Errorf("watching files: %w", explain(err))
		}
		w.fs = fs
		// Adding a watch can wait for the delivery of events.
		w.running.Go(func() { w.queue.fill(fs) })
	}
	w.running.Go(w.poller.run)
	w.running.Go(w.run)
	return w, nil
}

// Set makes dirs, given by absolute path, the directories that are watched, not
// those below them. It may be called at any time and is cheap when little
// changes. Changes are reported from then on: look into the directories after
// the call, not before.
//
// A directory that is not there is watched as soon as it appears, and reported
// as changed then. An error leaves some directories unwatched, until the next
// call; it also tells of directories that could not be watched again since the
// last.
func (w *Watcher) Set(dirs []string) error {
	call := set{dirs, make(chan error, 1)}
	select {
	case w.sets <- call:
		return <-call.result
	case <-w.closed:
		return errors.New("watching files: the watcher is closed")
	}
}

// Changes delivers what changed: the paths, sorted, of files and directories
// that were created, written, renamed or removed in the watched directories. A
// watched directory itself in the batch means that anything in it may have
// changed; compile.Inputs.Match takes it so. Paths begin as the directory was
// given to Set, symbolic links or not.
//
// Changes that come while the batch waits for a receiver join it. The channel
// is closed by Close.
func (w *Watcher) Changes() <-chan []string { return w.changes }

// Close ends all watching and returns when nothing is left running.
func (w *Watcher) Close() error { return w.close() }

func (w *Watcher) shutDown() error {
	close(w.closed)
	close(w.poller.close)
	var err error
	if w.fs != nil {
		err = w.fs.Close()
	}
	w.running.Wait()
	return err
}

// run owns the tree and the batch until the watcher is closed.
func (w *Watcher) run() {
	defer close(w.changes)
	t, b := newTree(w.fs), newBatch()
	for {
		out := w.changes
		if len(b.whole) == 0 {
			out = nil
		}
		select {
		case <-w.queue.ready:
			for _, n := range w.queue.take() {
				b.add(t.changed(n))
			}
		case call := <-w.sets:
			events, polled := w.choice.split(call.dirs)
			changed, err := t.set(events)
			b.add(changed)
			call.result <- errors.Join(err, w.poller.set(polled))
		case changed := <-w.poller.found:
			b.add(changed)
		case <-b.quiet.C:
			b.seal()
		case <-b.overdue.C:
			b.seal()
		case out <- b.whole:
			b.whole = nil
		case <-w.closed:
			return
		}
	}
}
