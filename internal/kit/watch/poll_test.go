package watch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// at takes a snapshot at a time.
func at(t *testing.T, dir string, before snapshot, now time.Time) snapshot {
	t.Helper()
	s, err := look(dir, before, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// timeless returns a snapshot of a file system that has no times of change.
func timeless(s snapshot) snapshot {
	other := snapshot{}
	for name, f := range s {
		f.changed = time.Time{}
		other[name] = f
	}
	return other
}

func write(t *testing.T, path, content string, modified time.Time) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
}

// What changes is seen though a file system counts time in coarse steps.
func TestPollingComparesContent(t *testing.T) {
	now := time.Now()
	for name, test := range map[string]struct {
		first, second string
		modified      time.Time // by the second writing; the first was now
		seen          bool
	}{
		"same size, same time":    {"aaa", "bbb", now, true},
		"same size, another time": {"aaa", "bbb", now.Add(time.Second), true},
		"another size, same time": {"aaa", "bbbb", now, true},
		"an older file":           {"aaa", "bbb", now.Add(-time.Hour), true},
		"saved as it was":         {"aaa", "aaa", now.Add(time.Second), true},
		"nothing":                 {"aaa", "aaa", now, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "main.go")
			write(t, path, test.first, now)
			before := at(t, dir, nil, now)
			write(t, path, test.second, test.modified)
			after := at(t, dir, before, now.Add(time.Second))
			if got := timeless(after).since(timeless(before), dir); (len(got) > 0) != test.seen {
				t.Errorf("reported %v", got)
			}
			if again := at(t, dir, after, now.Add(2*time.Second)); len(again.since(after, dir)) > 0 {
				t.Error("it is reported twice")
			}
		})
	}
}

// The clock of a server may be another than ours: a change that was seen counts,
// not when the file says that it was made.
func TestPollingDoesNotTrustClocks(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	path := filepath.Join(dir, "main.go")
	skewed := now.Add(-time.Hour)
	write(t, path, "old", skewed.Add(-time.Hour))
	before := at(t, dir, nil, now)
	write(t, path, "one", skewed)
	first := at(t, dir, before, now)
	write(t, path, "two", skewed)
	second := at(t, dir, first, now)
	if got := timeless(second).since(timeless(first), dir); !slices.Equal(got, []string{path}) {
		t.Errorf("reported %v", got)
	}
}

// Files that have not changed for a while are not read, and none that is large.
func TestPollingReadsLittle(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	write(t, filepath.Join(dir, "old"), "old", now.Add(-time.Hour))
	write(t, filepath.Join(dir, "new"), "new", now)
	write(t, filepath.Join(dir, "large"), strings.Repeat("x", maxCompared+1), now)
	read := func(s snapshot) (names []string) {
		for name, f := range s {
			if f.digest != [32]byte{} {
				names = append(names, name)
			}
		}
		return names
	}
	first := at(t, dir, nil, now)
	if got := read(first); !slices.Equal(got, []string{"new"}) {
		t.Errorf("read %q", got)
	}
	if got := read(at(t, dir, first, now.Add(settleTime))); len(got) > 0 {
		t.Errorf("read %q once more", got)
	}
}

func TestPollingFollowsLinks(t *testing.T) {
	dir, elsewhere, now := t.TempDir(), t.TempDir(), time.Now()
	one, two, link := filepath.Join(elsewhere, "one"), filepath.Join(elsewhere, "two"), filepath.Join(dir, "link")
	write(t, one, "1", now)
	write(t, two, "1", now)
	point := func(to string) {
		os.Remove(link)
		if err := os.Symlink(to, link); err != nil {
			t.Skip(err) // Windows asks for a privilege.
		}
	}
	point(one)
	before := at(t, dir, nil, now)
	for _, step := range []struct {
		name   string
		change func()
	}{
		{"what it leads to", func() { write(t, one, "2", now) }},
		{"nowhere", func() { point(filepath.Join(elsewhere, "three")) }},
		{"there again", func() { point(two) }},
		{"to a directory", func() { point(elsewhere) }},
	} {
		step.change()
		after := at(t, dir, before, now)
		if got := after.since(before, dir); !slices.Equal(got, []string{link}) {
			t.Errorf("%s: reported %v", step.name, got)
		}
		before = after
	}
}

// With mode Auto, directories on a file system that reports no changes are
// polled, missing ones below them too, and no others. That is told once.
func TestAutoPollsWhereNothingIsReported(t *testing.T) {
	mounted, local := t.TempDir(), t.TempDir()
	var told []string
	c := newChoice(Auto, func(dir, fileSystem string) { told = append(told, dir+" "+fileSystem) })
	c.silent = func(path string) (string, error) {
		if _, err := os.Stat(path); err != nil {
			return "", err
		}
		if strings.HasPrefix(path, mounted) {
			return "9p", nil
		}
		return silentFileSystem(path)
	}
	later := filepath.Join(mounted, "sub", "later")
	events, polled := c.split([]string{local, mounted, later})
	if !slices.Equal(events, []string{local}) || !slices.Equal(polled, []string{mounted, later}) {
		t.Errorf("events for %v, polling of %v", events, polled)
	}
	c.split([]string{local, mounted})
	if !slices.Equal(told, []string{mounted + " 9p"}) {
		t.Errorf("told %q", told)
	}
	for _, mode := range []Mode{Events, Poll} {
		other := newChoice(mode, func(string, string) { t.Errorf("mode %s says that it polls", mode) })
		other.silent = c.silent
		if events, polled := other.split([]string{local, mounted}); len(events) != 0 && len(polled) != 0 {
			t.Errorf("mode %s: events for %v, polling of %v", mode, events, polled)
		}
	}
}

// A watcher in mode Auto reports changes of both kinds of directories.
func TestAutoWatchesBothKinds(t *testing.T) {
	mounted, local := t.TempDir(), t.TempDir()
	w, err := New(Auto, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.choice.silent = func(path string) (string, error) {
		if path == mounted {
			return "9p", nil
		}
		return "", nil
	}
	if err := w.Set([]string{mounted, local}); err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{filepath.Join(mounted, "x"): true, filepath.Join(local, "x"): true}
	for path := range wanted {
		write(t, path, "", time.Now())
	}
	for deadline := time.After(time.Minute); len(wanted) > 0; {
		select {
		case batch := <-w.Changes():
			for _, path := range batch {
				delete(wanted, path)
			}
		case <-deadline:
			t.Fatalf("not reported: %v", wanted)
		}
	}
}

func TestModeIsAFlag(t *testing.T) {
	mode := Auto
	for _, name := range []string{"events", "poll", "auto"} {
		if err := mode.Set(name); err != nil || mode.String() != name {
			t.Errorf("%s: mode %s, error %v", name, mode, err)
		}
	}
	if err := mode.Set("polling"); err == nil || mode != Auto {
		t.Errorf("mode %s, error %v", mode, err)
	}
}
