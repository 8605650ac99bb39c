package watch

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestOverflow has the kernel drop events, which it does when nobody reads them
// for long enough.
func TestOverflow(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Fatal(err)
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || limit > 1_000_000 {
		t.Skipf("the kernel keeps %s events, too many to fill up", text)
	}
	w, err := New(Events, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	quiet, noisy := t.TempDir(), t.TempDir()
	if err := w.Set([]string{quiet, noisy}); err != nil {
		t.Fatal(err)
	}

	w.queue.mu.Lock()
	// One read of fsnotify's holds up to 4096 events more.
	one, other := filepath.Join(noisy, "one"), filepath.Join(noisy, "other")
	if err := os.WriteFile(one, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for range (limit + 10_000) / 2 {
		if err := os.Rename(one, other); err != nil {
			t.Fatal(err)
		}
		one, other = other, one
	}
	file := filepath.Join(quiet, "dropped")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.queue.mu.Unlock()

	deadline := time.After(time.Minute)
	for seen := map[string]bool{}; !seen[quiet] || !seen[noisy]; {
		select {
		case batch := <-w.Changes():
			for _, path := range batch {
				seen[path] = true
			}
			if seen[file] {
				t.Error("the event was not dropped; the test is wrong")
			}
		case <-deadline:
			t.Fatal("the watched directories are not reported")
		}
	}
}
