//go:build unix

package supervisor_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// trial is how long a version is on trial, and a little more.
const trial = 11 * time.Second

func TestOneThatCrashesGivesWayToTheOneBefore(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newPod(t)
	p.expect("image")
	if out, err := p.send(p.build("good", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := p.send(p.build("bad", "crash"))
	if err == nil || !strings.Contains(out, "ended at once: exit code 7") {
		t.Errorf("the sender is told %v, %q", err, out)
	}
	p.expect("good")
	if out, err := p.send(p.build("better", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.expect("better")
}

// The last one that has proved itself comes back, not the one that happened to
// run before.
func TestTwoBadOnesInARow(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newPod(t)
	p.expect("image")
	if out, err := p.send(p.build("good", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	time.Sleep(trial)
	if out, err := p.send(p.build("slow", "brief")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := p.send(p.build("fast", "crash")); err == nil {
		t.Errorf("a program that ends at once: %s", out)
	}
	for end := time.Now().Add(deadline); p.ask().version != "good" && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	p.expect("good")
}

// A version that takes the container down with it does not begin the next one.
func TestTheContainerEndsOnTrial(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newPod(t)
	p.expect("image")
	if out, err := p.send(p.build("one", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.restart()
	p.expect("image")
}

func TestARestartedContainerGoesOnWithWhatWasSent(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newPod(t)
	p.expect("image")
	if out, err := p.send(p.build("one", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	time.Sleep(trial)
	p.restart()
	p.expect("one")
	p.build("image", "newer") // A newer image, which a pod restart brings.
	p.restart()
	p.expect("image")
}

// A directory in which nothing can be noted down is one whose volume is full, say.
func TestWhatCannotBeNotedDownChangesNothing(t *testing.T) {
	p := newPod(t)
	p.expect("image")
	pid := p.ask().pid
	obstacle := filepath.Join(p.dir, "history.next")
	if err := os.Mkdir(obstacle, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := p.send(p.build("one", "")); err == nil || !strings.Contains(out, "noting down") {
		t.Errorf("the sender is told %v, %q", err, out)
	}
	if now := p.ask().pid; now != pid {
		t.Error("the program was stopped")
	}
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	if out, err := p.send(filepath.Join(p.bin, "one")); err != nil {
		t.Errorf("once there is room: %v: %s", err, out)
	}
	p.expect("one")
}
