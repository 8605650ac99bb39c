//go:build unix

package supervisor_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kit/route"
)

// deadline ends a test that hangs.
const deadline = 20 * time.Second

// pod is a supervisor with its program, and what stays when it ends.
type pod struct {
	t          testing.TB
	bin        string // executables
	library    *parcel.Library
	dir        string // the supervisor's directory
	address    string // of the program
	cmd        *exec.Cmd
	attributes *syscall.SysProcAttr
	output     lockedBuffer
	source     string   // of the program, a package
	command    []string // what live-reload runs, behind -dir
	env        []string // of the container, beside this process's
	note       string   // that the last sender was told

	readyWithin string    // how long a version may take to be ready
	started     time.Time // when the supervisor was
}

// newPod starts a supervisor whose image holds the program version "image".
func newPod(t *testing.T) *pod { return newPodIn(t, nil) }

// newPodIn starts it as a process with certain attributes.
func newPodIn(t *testing.T, attributes *syscall.SysProcAttr) *pod {
	t.Helper()
	p := &pod{attributes: attributes, t: t, bin: t.TempDir(), library: parcel.NewLibrary(t.TempDir()), dir: t.TempDir()}
	p.buildSupervisor()
	p.build("image", "")
	p.address = unusedAddress(t) // While it compiled, another test could have taken it.
	p.command = []string{"-grace", "1s", filepath.Join(p.bin, "image"), p.address}
	p.start()
	return p
}

// start starts the container.
func (p *pod) start() {
	p.t.Helper()
	p.started = time.Now()
	p.cmd = exec.Command(filepath.Join(p.bin, "live-reload"), append([]string{"run", "-dir", p.dir}, p.command...)...)
	p.cmd.Env = append(os.Environ(), p.env...)
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
	packed, err := parcel.New(path, p.library)
	if err != nil {
		p.t.Fatal(err)
	}
	out, err = p.receive(func(w io.Writer, r io.Reader) {
		offered, err := wire.ReadOffer(r)
		if err == nil {
			sent, err = packed.HandOver(w, offered)
		}
		if err != nil {
			p.t.Error(err)
		}
	})
	packed.Remember()
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
	var result wire.Result
	json.NewDecoder(stdout).Decode(&result) // There is none in case of an error.
	p.note = result.Note
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
	versions := []string{"one", "two", "three"}
	for _, version := range versions {
		p.build(version, "") // Before, since one that runs while the next compiles may prove itself, and is kept.
	}
	for _, version := range versions {
		if out, err := p.send(filepath.Join(p.bin, version)); err != nil {
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
		if entry.Type().IsRegular() && wire.Digest(entry.Name()).Valid() {
			kept++
		}
	}
	if kept != 2 {
		t.Errorf("%d executables are kept, expected the running one and the one before", kept)
	}
}

func TestTheSameExecutableGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
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
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
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

func unusedAddress(t testing.TB) string {
	t.Helper()
	return route.Loopback(kittest.FreePort(t))
}
