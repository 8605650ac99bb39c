//go:build unix

package live_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/live"
)

// deadline ends a test that hangs.
const deadline = 20 * time.Second

// pod is a supervisor with its program, and what stays when it ends.
type pod struct {
	t          *testing.T
	bin        string // executables
	library    live.Library
	dir        string // the supervisor's directory
	address    string // of the program
	cmd        *exec.Cmd
	attributes *syscall.SysProcAttr
	output     lockedBuffer
}

// newPod starts a supervisor whose image holds the program version "image".
func newPod(t *testing.T) *pod { return newPodIn(t, nil) }

// newPodIn starts it as a process with certain attributes.
func newPodIn(t *testing.T, attributes *syscall.SysProcAttr) *pod {
	t.Helper()
	p := &pod{attributes: attributes, t: t, bin: t.TempDir(), library: live.Library(t.TempDir()), dir: t.TempDir(), address: unusedAddress(t)}
	p.goBuild("live-reload", "../../../cmd/live-reload")
	p.build("image", "")
	p.start()
	return p
}

// build compiles a version of the program that behaves in a certain way.
func (p *pod) build(version, behaviour string) string {
	p.t.Helper()
	return p.goBuild(version, "./testdata/program", "-ldflags=-X main.version="+version+" -X main.behaviour="+behaviour)
}

func (p *pod) goBuild(name, pkg string, flags ...string) string {
	p.t.Helper()
	path := filepath.Join(p.bin, name)
	args := append([]string{"build", "-o", path}, flags...)
	if out, err := exec.Command("go", append(args, pkg)...).CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
	return path
}

// start starts the container.
func (p *pod) start() {
	p.t.Helper()
	p.cmd = exec.Command(filepath.Join(p.bin, "live-reload"), "run", "-dir", p.dir, "-grace", "1s", filepath.Join(p.bin, "image"), p.address)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = &p.output, &p.output, p.attributes
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	cmd := p.cmd
	p.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
}

// restart kills the container as the kernel does when memory is short: all of it
// at once. What is left of it may still listen for a moment, unlike in a container.
func (p *pod) restart() {
	p.t.Helper()
	running := p.ask()
	if running.parent != p.cmd.Process.Pid {
		p.t.Fatalf("the program's parent is %d, the supervisor is %d", running.parent, p.cmd.Process.Pid)
	}
	p.cmd.Process.Kill()
	syscall.Kill(running.pid, syscall.SIGKILL)
	p.cmd.Wait()
	for end := time.Now().Add(deadline); syscall.Kill(running.pid, 0) == nil && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	p.start()
}

// send sends an executable, and returns what the sender is told.
func (p *pod) send(path string) (string, error) {
	_, out, err := p.sendCounting(path)
	return out, err
}

// sendCounting returns the number of bytes that were sent, too.
func (p *pod) sendCounting(path string) (sent int, out string, err error) {
	p.t.Helper()
	parcel, err := live.NewParcel(path, p.library)
	if err != nil {
		p.t.Fatal(err)
	}
	out, err = p.receive(func(w io.Writer, r io.Reader) {
		if sent, err = parcel.Send(w, r); err != nil {
			p.t.Error(err)
		}
	})
	return sent, out, err
}

// receive runs the program that receives, with a sender at the other end.
func (p *pod) receive(send func(io.Writer, io.Reader)) (string, error) {
	p.t.Helper()
	cmd := exec.Command(filepath.Join(p.bin, "live-reload"), "receive", p.dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	send(stdin, stdout)
	stdin.Close()
	err = cmd.Wait()
	return complaint.String(), err
}

// running is what the program says of itself.
type running struct {
	version     string
	parent, pid int
}

// ask asks the program what it is, and waits for it.
func (p *pod) ask() (says running) {
	p.t.Helper()
	for end := time.Now().Add(deadline); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get("http://" + p.address)
		if err != nil {
			if time.Now().After(end) {
				p.t.Fatalf("%v\n%s", err, &p.output)
			}
			continue
		}
		var name string
		_, err = fmt.Fscan(response.Body, &says.version, &name, &says.parent, &says.pid)
		response.Body.Close()
		if err != nil {
			p.t.Fatal(err)
		}
		if want := filepath.Join(p.bin, "image"); name != want {
			p.t.Errorf("the program is called %s, expected %s", name, want)
		}
		return says
	}
}

func (p *pod) expect(want string) {
	p.t.Helper()
	if got := p.ask(); got.version != want {
		p.t.Errorf("version %s runs, expected %s\n%s", got.version, want, &p.output)
	}
}

func TestAnExecutableTakesOver(t *testing.T) {
	p := newPod(t)
	p.expect("image")
	for _, version := range []string{"one", "two", "three"} {
		if out, err := p.send(p.build(version, "")); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		p.expect(version)
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, entry := range entries {
		if entry.Type().IsRegular() && live.Digest(entry.Name()).Valid() {
			kept++
		}
	}
	if kept != 2 {
		t.Errorf("%d executables are kept, expected the running one and the one before", kept)
	}
}

func TestTheSameExecutableGoesOn(t *testing.T) {
	p := newPod(t)
	p.expect("image")
	for _, executable := range []string{filepath.Join(p.bin, "image"), p.build("one", ""), filepath.Join(p.bin, "one")} {
		if out, err := p.send(executable); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	p.expect("one")
	if stopped := strings.Count(p.output.String(), "received terminated"); stopped != 1 {
		t.Errorf("the program was stopped %d times, once was due\n%s", stopped, &p.output)
	}
}

func TestOneThatCrashesGivesWayToTheOneBefore(t *testing.T) {
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

// trial is how long a version is on trial, and a little more.
const trial = 11 * time.Second

// A version that takes the container down with it does not begin the next one.
func TestTheContainerEndsOnTrial(t *testing.T) {
	p := newPod(t)
	p.expect("image")
	if out, err := p.send(p.build("one", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.restart()
	p.expect("image")
}

func TestWhatIsSentIsTheProgramOfTheImage(t *testing.T) {
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
		filepath.Join(p.bin, "live-reload"): "this container runs github.com/koshop/koshop/internal/kit/live/testdata/program for ",
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

// A directory in which nothing can be noted down is one whose volume is full, say.
func TestWhatCannotBeNotedDownChangesNothing(t *testing.T) {
	p := newPod(t)
	p.expect("image")
	pid := p.ask().pid
	obstacle := filepath.Join(p.dir, "plan.next")
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

// Several developers may send at once: one after the other takes over, and all
// are told so.
func TestSeveralAtOnce(t *testing.T) {
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

func TestWhatDoesNotArriveWholeChangesNothing(t *testing.T) {
	p := newPod(t)
	p.expect("image")
	if out, err := p.send(p.build("one", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	parcel, err := live.NewParcel(p.build("two", ""), p.library)
	if err != nil {
		t.Fatal(err)
	}
	var difference, whole bytes.Buffer
	_, err = p.receive(func(_ io.Writer, r io.Reader) {
		if _, err := parcel.Send(&difference, r); err != nil {
			t.Error(err)
		}
	})
	if err == nil {
		t.Error("nothing at all is accepted")
	}
	if _, err := parcel.Send(&whole, strings.NewReader("{}")); err != nil {
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
	p.library = live.Library(t.TempDir())
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
		if err := live.Library(dir).Keep([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 8 {
		t.Errorf("%d are kept (error %v)", len(entries), err)
	}
}

func TestARestartedContainerGoesOnWithWhatWasSent(t *testing.T) {
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

func TestSignalsAndExitCodesPass(t *testing.T) {
	p := newPod(t)
	p.expect("image")
	p.cmd.Process.Signal(syscall.SIGHUP)
	for end := time.Now().Add(deadline); !strings.Contains(p.output.String(), "received hangup"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the program got no signal: %s", &p.output)
		}
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
	if code := p.cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d, expected the program's 3", code)
	}
	p.start()
	p.expect("image")
	http.Get("http://" + p.address + "/exit")
	p.cmd.Wait()
	if code := p.cmd.ProcessState.ExitCode(); code != 9 {
		t.Errorf("exit code %d, expected the program's 9", code)
	}
}

func TestAStubbornProgramIsKilled(t *testing.T) {
	p := newPod(t)
	p.expect("image")
	for _, version := range []string{"first", "second"} {
		if out, err := p.send(p.build(version, "stubborn")); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		p.expect(version)
	}
	if out, err := p.send(p.build("last", "")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// lockedBuffer is written by a process and read by the test.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func unusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
