package progress

import (
	"io"
	"os"
	"strings"
	"testing"
)

// The running tasks are overwritten by the next drawing, finished lines stay.
func TestScreenRedrawsRunningTasksOnly(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{file: w}
	s.draw(nil, []string{"web: building", "worker: building"})
	s.draw([]string{"web: published"}, []string{"worker: building"})
	s.draw(nil, nil)
	w.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	want := "web: building\nworker: building\n" +
		"\x1b[2A\r\x1b[Jweb: published\nworker: building\n" +
		"\x1b[1A\r\x1b[J"
	if string(got) != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestClipKeepsLinesFromWrapping(t *testing.T) {
	if got := clip(strings.Repeat("é", 10), 10); got != strings.Repeat("é", 9) {
		t.Errorf("got %q", got)
	}
	for _, short := range []string{"short", "\x1b[32mready\x1b[0m"} {
		if got := clip(short, 10); got != short {
			t.Errorf("got %q", got)
		}
	}
	if got := clip("\x1b[32mlonger than that\x1b[0m", 10); got != "longer th" {
		t.Errorf("got %q", got)
	}
}
