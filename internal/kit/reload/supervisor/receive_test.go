//go:build unix

package supervisor_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kit/reload/wire"
)

func TestWhatIsSentIsTheProgramOfTheImage(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: compiles the standard library for another system")
	}
	p := newPod(t)
	p.expect("image")
	pid := p.ask().pid
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("not a program"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOS", "plan9")
	plan9 := p.build("plan9", "")
	for path, want := range map[string]string{
		text:                                "is no Go program",
		filepath.Join(p.bin, "live-reload"): "this container runs github.com/koshop/koshop/internal/kit/reload/supervisor/testdata/program for ",
		plan9:                               "testdata/program for plan9/",
	} {
		if out, err := p.send(path); err == nil || !strings.Contains(out, want) {
			t.Errorf("the sender is told %v, %q", err, out)
		}
	}
	if now := p.ask().pid; now != pid {
		t.Error("the program was stopped")
	}
}

// Several developers may send at once: one after the other takes over, and all
// are told so.
func TestSeveralAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newPod(t)
	p.expect("image")
	var senders sync.WaitGroup
	for i := range 4 {
		path := p.build(fmt.Sprint("version", i), "")
		senders.Go(func() {
			if out, err := p.send(path); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	senders.Wait()
	if got := p.ask(); !strings.HasPrefix(got.version, "version") {
		t.Errorf("%s runs", got.version)
	}
}

// A sender calls while it still compiles. What it was offered to differ from may have been
// removed when it has done so.
func TestOthersSendWhileOneCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newPod(t)
	p.expect("image")
	// All are built before: the first one must not be proved good before the others come.
	one, late := p.build("one", ""), p.build("late", "")
	others := []string{p.build("other0", ""), p.build("other1", ""), p.build("other2", "")}
	if out, err := p.send(one); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	base, err := wire.DigestFile(one)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := parcel.New(late, p.library)
	if err != nil {
		t.Fatal(err)
	}
	var sent int
	out, err := p.receive(func(w io.Writer, r io.Reader) {
		offered, err := wire.ReadOffer(r)
		if err != nil {
			t.Error(err)
			return
		}
		for _, other := range others {
			if out, err := p.send(other); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		}
		if _, err := os.Stat(filepath.Join(p.dir, string(base))); err == nil {
			t.Error("what was offered has not been removed: this test shows nothing")
		}
		if sent, err = packed.HandOver(w, offered); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.expect("late")
	if size, _ := os.Stat(one); int64(sent) > size.Size()/20 {
		t.Errorf("%d bytes cross, which is no difference", sent)
	}
}

func TestWhatDoesNotArriveWholeChangesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newPod(t)
	p.expect("image")
	if out, err := p.send(p.build("one", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	packed, err := parcel.New(p.build("two", ""), p.library)
	if err != nil {
		t.Fatal(err)
	}
	var difference, whole bytes.Buffer
	_, err = p.receive(func(_ io.Writer, r io.Reader) {
		offered, err := wire.ReadOffer(r)
		if err == nil {
			_, err = packed.HandOver(&difference, offered)
		}
		if err != nil {
			t.Error(err)
		}
	})
	if err == nil {
		t.Error("nothing at all is accepted")
	}
	if _, err := packed.HandOver(&whole, wire.Offer{}); err != nil {
		t.Fatal(err)
	}
	for kind, all := range map[string][]byte{"whole": whole.Bytes(), "difference": difference.Bytes()} {
		line, body, _ := bytes.Cut(all, []byte("\n"))
		with := func(key string, value any) []byte {
			header := map[string]any{}
			if err := json.Unmarshal(line, &header); err != nil {
				t.Fatal(err)
			}
			header[key] = value
			changed, err := json.Marshal(header)
			if err != nil {
				t.Fatal(err)
			}
			return append(append(changed, '\n'), body...)
		}
		unknown := strings.Repeat("0", 64)
		for name, stream := range map[string][]byte{
			"cut":            all[:len(all)-len(body)/2],
			"no header":      body,
			"no content":     append(line, '\n'),
			"a path":         with("executable", "../one"),
			"another digest": with("executable", unknown),
			"another base":   with("base", unknown),
			"another size":   with("size", 9),
			"a huge size":    with("size", 1<<40),
			"a newer ko":     with("protocol", wire.Protocol+1),
		} {
			if out, err := p.receive(func(w io.Writer, _ io.Reader) { w.Write(stream) }); err == nil || out == "" {
				t.Errorf("%s, %s: accepted: %s", kind, name, out)
			}
		}
	}
	p.expect("one")
	if left, _ := filepath.Glob(filepath.Join(p.dir, "incoming-*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestWhatCrossesIsTheDifference(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newPod(t)
	p.expect("image")
	first, out, err := p.sendCounting(p.build("one", ""))
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	second, out, err := p.sendCounting(p.build("two", ""))
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.expect("two")
	if second > first/20 {
		t.Errorf("%d bytes cross for another string, and %d for the whole program", second, first)
	}
	// The same from a developer who has the image's executable only.
	p.library = parcel.NewLibrary(t.TempDir())
	image, err := os.ReadFile(filepath.Join(p.bin, "image"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.library.Keep(image); err != nil {
		t.Fatal(err)
	}
	third, out, err := p.sendCounting(p.build("three", ""))
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.expect("three")
	if third > first/20 {
		t.Errorf("%d bytes cross for the difference to the image's executable, and %d for the whole program", third, first)
	}
}

func TestALibraryHasOnlyTheNewestExecutables(t *testing.T) {
	dir := t.TempDir()
	for i := range 40 {
		if err := parcel.NewLibrary(dir).Keep([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 8 {
		t.Errorf("%d are kept (error %v)", len(entries), err)
	}
}
