package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// tree keeps the system's watches in step with the directories on disk. The
// system watches a directory, not a path: when the path comes to stand for
// another directory, or for one at last, it has to be watched anew. The
// directories above tell.
type tree struct {
	fs     *fsnotify.Watcher
	wanted map[string]bool
	// real has the wanted directories and those above them that are of use, each
	// with what is watched for it, links resolved: the system watches a directory
	// once and reports it by one name. It is empty for what is not there.
	real  map[string]string
	names map[string][]string // the inverse of real
}

func newTree(fs *fsnotify.Watcher) *tree {
	return &tree{fs: fs, real: map[string]string{}, names: map[string][]string{}}
}

// set changes what is wanted. It returns those that were wanted before and
// missing, and are there now.
func (t *tree) set(dirs []string) (appeared []string, err error) {
	before := t.wanted
	t.wanted = map[string]bool{}
	for _, dir := range dirs {
		t.wanted[filepath.Clean(dir)] = true
	}
	needed := t.needed()
	if !maps.Equal(before, t.wanted) {
		for path := range t.real {
			if !needed[path] {
				t.drop(path)
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(needed)) {
		if t.real[path] != "" {
			continue
		}
		if err := t.renew(path); err != nil {
			return appeared, err
		}
		if before[path] && t.real[path] != "" {
			appeared = append(appeared, path)
		}
	}
	return appeared, nil
}

// needed returns the wanted directories and all that lie between two of them:
// moving one of those moves what is below.
func (t *tree) needed() map[string]bool {
	needed := maps.Clone(t.wanted)
	for dir := range t.wanted {
		var between []string
		for up := filepath.Dir(dir); up != filepath.Dir(up); up = filepath.Dir(up) {
			if t.wanted[up] {
				for _, path := range between {
					needed[path] = true
				}
				break
			}
			between = append(between, up)
		}
	}
	return needed
}

// changed returns the paths that a notice is about, and brings the watches up
// to date with it.
func (t *tree) changed(n notice) []string {
	const moved = fsnotify.Create | fsnotify.Remove | fsnotify.Rename
	switch {
	case n.lost:
		return t.renewAll(func(string) bool { return true })
	case n.event.Op == fsnotify.Chmod:
		return nil
	}
	var paths []string
	for _, path := range t.named(n.event.Name) {
		_, needed := t.real[path]
		switch {
		case needed && n.event.Op&moved != 0:
			below := path + string(filepath.Separator)
			paths = append(paths, t.renewAll(func(dir string) bool {
				return dir == path || strings.HasPrefix(dir, below)
			})...)
		case needed:
			// Some systems report a directory as written when something in it is
			// created or removed, which they report as well.
			continue
		}
		if t.wanted[filepath.Dir(path)] {
			paths = append(paths, path)
		}
	}
	return paths
}

// named returns the paths that stand for what the system reports.
func (t *tree) named(real string) []string {
	paths := slices.Clone(t.names[real])
	for _, dir := range t.names[filepath.Dir(real)] {
		paths = append(paths, filepath.Join(dir, filepath.Base(real)))
	}
	return paths
}

// renewAll watches directories anew and returns the wanted ones among them:
// what happened in them in between is not known.
func (t *tree) renewAll(affected func(string) bool) []string {
	var unknown []string
	for _, path := range slices.Sorted(maps.Keys(t.real)) {
		if !affected(path) {
			continue
		}
		// One that fails counts as missing; the next call of Set tries again and
		// returns the error.
		_ = t.renew(path)
		if t.wanted[path] {
			unknown = append(unknown, path)
		}
	}
	return unknown
}

// renew watches a directory, or if it is missing the nearest one above, in
// which it will appear.
func (t *tree) renew(path string) error {
	t.drop(path)
	watched, err := t.add(path)
	up := filepath.Dir(path)
	if watched || err != nil || up == path || t.real[up] != "" {
		return err
	}
	if err := t.renew(up); err != nil {
		return err
	}
	_, err = t.add(path) // It may have appeared before up was watched.
	return err
}

// add watches a directory if it is there.
func (t *tree) add(path string) (watched bool, err error) {
	t.real[path] = ""
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, nil
	}
	err = t.fs.Add(real)
	switch {
	case err == nil:
		t.real[path] = real
		t.names[real] = append(t.names[real], path)
		return true, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission) && !t.wanted[path]:
		return false, nil
	}
	return false, fmt.Errorf("watching %s: %w", path, explain(err))
}

// drop ends the watch of a path.
func (t *tree) drop(path string) {
	real := t.real[path]
	delete(t.real, path)
	if real == "" {
		return
	}
	t.names[real] = slices.DeleteFunc(t.names[real], func(name string) bool { return name == path })
	if len(t.names[real]) > 0 {
		return
	}
	delete(t.names, real)
	_ = t.fs.Remove(real) // It fails if the directory, and with it the watch, is gone.
}
