package watch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/watch"
)

// inEachMode runs a test with events and with polling, which takes a second for
// whatever it sees.
func inEachMode(t *testing.T, test func(*testing.T, watch.Mode)) {
	for _, mode := range []watch.Mode{watch.Events, watch.Poll} {
		t.Run(mode.String(), func(t *testing.T) {
			if testing.Short() && mode == watch.Poll {
				t.Skip("skipping what waits for polling in short mode")
			}
			test(t, mode)
		})
	}
}

func start(t *testing.T, mode watch.Mode, dirs ...string) *watch.Watcher {
	t.Helper()
	w, err := watch.New(mode, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	set(t, w, dirs...)
	return w
}

func set(t *testing.T, w *watch.Watcher, dirs ...string) {
	t.Helper()
	if err := w.Set(dirs); err != nil {
		t.Fatal(err)
	}
}

// expect receives until all paths were reported, and returns all that were.
func expect(t *testing.T, w *watch.Watcher, paths ...string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	missing := func() []string {
		return slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return seen[path] })
	}
	deadline := time.After(time.Minute)
	for len(missing()) > 0 {
		select {
		case batch := <-w.Changes():
			for _, path := range batch {
				seen[path] = true
			}
		case <-deadline:
			t.Fatalf("not reported: %v; reported: %v", missing(), seen)
		}
	}
	return seen
}

// refuse fails if one of the paths is reported before a file that is written now.
func refuse(t *testing.T, w *watch.Watcher, dir string, paths ...string) {
	t.Helper()
	last := filepath.Join(dir, "last")
	save(t, last, "")
	seen := expect(t, w, last)
	for _, path := range paths {
		if seen[path] {
			t.Errorf("%s is reported", path)
		}
	}
}

// expectWatched saves a file in the directory until that is reported. Once need
// not do: a report that the directory changed may be older than its last change.
func expectWatched(t *testing.T, w *watch.Watcher, dir string) {
	t.Helper()
	file := filepath.Join(dir, "watched")
	for deadline := time.Now().Add(time.Minute); ; {
		save(t, file, "")
		select {
		case batch := <-w.Changes():
			if slices.Contains(batch, file) {
				return
			}
		case <-time.After(time.Second):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not watched", dir)
		}
	}
}

func save(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

func mkdir(t *testing.T, path string) string {
	t.Helper()
	must(t, os.MkdirAll(path, 0o755))
	return path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSavingIsReported(t *testing.T) { inEachMode(t, testSavingIsReported) }

func testSavingIsReported(t *testing.T, mode watch.Mode) {
	for name, edit := range map[string]func(t *testing.T, file string){
		"in place": func(t *testing.T, file string) { save(t, file, "new") },
		"with a backup, as Vim": func(t *testing.T, file string) {
			must(t, os.Rename(file, file+"~"))
			save(t, file, "new")
			must(t, os.Remove(file+"~"))
		},
		"atomically": func(t *testing.T, file string) {
			save(t, file+".tmp", "new")
			must(t, os.Rename(file+".tmp", file))
		},
		"by removing": func(t *testing.T, file string) { must(t, os.Remove(file)) },
		"by renaming": func(t *testing.T, file string) { must(t, os.Rename(file, file+".old")) },
		"truncated":   func(t *testing.T, file string) { must(t, os.Truncate(file, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "main.go")
			save(t, file, "old")
			w := start(t, mode, dir)
			for range 3 { // The first time must not be the last.
				edit(t, file)
				expect(t, w, file)
				save(t, file, "old")
				expect(t, w, file)
			}
		})
	}
}

func TestOnlyContentIsReported(t *testing.T) { inEachMode(t, testOnlyContentIsReported) }

func testOnlyContentIsReported(t *testing.T, mode watch.Mode) {
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	save(t, file, "package main\n")
	w := start(t, mode, dir)
	must(t, os.Chmod(file, 0o600))
	if mode == watch.Events { // Polling cannot tell it from saving a file as it was.
		must(t, os.Chtimes(file, time.Now(), time.Now()))
	}
	refuse(t, w, dir, file)
}

func TestOnlyTheDirectoriesThemselvesAreWatched(t *testing.T) {
	inEachMode(t, testOnlyTheDirectoriesThemselvesAreWatched)
}

func testOnlyTheDirectoriesThemselvesAreWatched(t *testing.T, mode watch.Mode) {
	dir := t.TempDir()
	sub := mkdir(t, filepath.Join(dir, "sub"))
	w := start(t, mode, dir)
	file := filepath.Join(sub, "x")
	save(t, file, "")
	refuse(t, w, dir, file, sub)
}

func TestSetReplacesWhatIsWatched(t *testing.T) { inEachMode(t, testSetReplacesWhatIsWatched) }

func testSetReplacesWhatIsWatched(t *testing.T, mode watch.Mode) {
	one, two := t.TempDir(), t.TempDir()
	w := start(t, mode, one)
	set(t, w, two)
	file := filepath.Join(one, "x")
	save(t, file, "")
	refuse(t, w, two, file)
	for range 100 {
		set(t, w, two, one)
	}
	save(t, file, "again")
	expect(t, w, file)
}

func TestAMissingDirectoryIsWatchedWhenItAppears(t *testing.T) {
	inEachMode(t, testAMissingDirectoryIsWatchedWhenItAppears)
}

func testAMissingDirectoryIsWatchedWhenItAppears(t *testing.T, mode watch.Mode) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b", "c")
	w := start(t, mode, dir)
	for range 3 {
		mkdir(t, filepath.Dir(dir))
		mkdir(t, dir)
		expect(t, w, dir)
		expectWatched(t, w, dir)
		must(t, os.RemoveAll(filepath.Join(root, "a")))
		expect(t, w, dir)
	}
}

func TestADirectoryThatIsReplacedStaysWatched(t *testing.T) {
	inEachMode(t, testADirectoryThatIsReplacedStaysWatched)
}

func testADirectoryThatIsReplacedStaysWatched(t *testing.T, mode watch.Mode) {
	root := t.TempDir()
	middle := filepath.Join(root, "internal")
	dir := mkdir(t, filepath.Join(middle, "pkg", "deep"))
	w := start(t, mode, root, dir)
	for name, replace := range map[string]func(){
		"removed and made": func() {
			must(t, os.RemoveAll(dir))
			mkdir(t, dir)
		},
		"moved and made": func() {
			must(t, os.Rename(dir, t.TempDir()+"/away"))
			mkdir(t, dir)
		},
		"above it moved": func() {
			must(t, os.Rename(middle, filepath.Join(root, "away")))
			must(t, os.Rename(filepath.Join(root, "away"), middle))
		},
		"above it made anew": func() {
			must(t, os.RemoveAll(middle))
			mkdir(t, dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			replace()
			if mode == watch.Events { // Polling finds out what has changed in it.
				expect(t, w, dir)
			}
			expectWatched(t, w, dir)
		})
	}
}

func TestAThousandFiles(t *testing.T) { inEachMode(t, testAThousandFiles) }

func testAThousandFiles(t *testing.T, mode watch.Mode) {
	dir := t.TempDir()
	w := start(t, mode, dir)
	files := make([]string, 1000)
	for i := range files {
		files[i] = filepath.Join(dir, fmt.Sprintf("file%d.go", i))
		save(t, files[i], "package p\n")
	}
	expect(t, w, files...)
	for _, file := range files {
		must(t, os.Remove(file))
	}
	expect(t, w, files...)
}

func TestABusyReceiverLosesNothing(t *testing.T) { inEachMode(t, testABusyReceiverLosesNothing) }

func testABusyReceiverLosesNothing(t *testing.T, mode watch.Mode) {
	dir := t.TempDir()
	w := start(t, mode, dir)
	var files []string
	for i := range 5 {
		files = append(files, filepath.Join(dir, fmt.Sprint(i)))
		save(t, files[i], "")
		time.Sleep(100 * time.Millisecond) // More than one batch, if anybody received.
	}
	expect(t, w, files...)
}

func TestABatchComesThoughThingsKeepHappening(t *testing.T) {
	inEachMode(t, testABatchComesThoughThingsKeepHappening)
}

func testABatchComesThoughThingsKeepHappening(t *testing.T, mode watch.Mode) {
	dir := t.TempDir()
	w := start(t, mode, dir)
	for {
		save(t, filepath.Join(dir, "log"), time.Now().String())
		select {
		case <-w.Changes():
			return
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(time.Millisecond):
		}
	}
}

func TestPathsBeginAsGiven(t *testing.T) { inEachMode(t, testPathsBeginAsGiven) }

func testPathsBeginAsGiven(t *testing.T, mode watch.Mode) {
	root := t.TempDir()
	dir := mkdir(t, filepath.Join(root, "dir"))
	link := filepath.Join(root, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err) // Windows asks for a privilege.
	}
	w := start(t, mode, link)
	save(t, filepath.Join(dir, "x"), "1")
	if seen := expect(t, w, filepath.Join(link, "x")); len(seen) != 1 {
		t.Errorf("reported: %v", seen)
	}
	set(t, w, link, dir)
	save(t, filepath.Join(dir, "x"), "2")
	expect(t, w, filepath.Join(link, "x"), filepath.Join(dir, "x"))
	set(t, w, link)
	save(t, filepath.Join(dir, "x"), "3")
	expect(t, w, filepath.Join(link, "x"))
}

func TestClose(t *testing.T) { inEachMode(t, testClose) }

func testClose(t *testing.T, mode watch.Mode) {
	dir := t.TempDir()
	w, err := watch.New(mode, nil)
	must(t, err)
	set(t, w, dir)
	save(t, filepath.Join(dir, "x"), "")
	must(t, w.Close())
	must(t, w.Close())
	for range w.Changes() {
		// Ends, as the channel is closed.
	}
	if err := w.Set([]string{dir}); err == nil {
		t.Error("Set works after Close")
	}
}
