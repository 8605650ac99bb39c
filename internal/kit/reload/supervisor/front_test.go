//go:build unix

package supervisor_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/kittest/traffic"
	"github.com/koshop/koshop/internal/kit/probe"
	"github.com/koshop/koshop/internal/kit/reload/parcel"
	"github.com/koshop/koshop/internal/kit/reload/wire"
)

// trafficProgram is the server of package traffic.
const trafficProgram = "../../kittest/traffic/program"

// newServerPod starts a supervisor in front of a program that listens on PORT.
func newServerPod(t testing.TB, more func(*wire.Container), env ...func(*pod) string) *pod {
	t.Helper()
	p := startServerPod(t, more, env...)
	p.comes("image")
	return p
}

func startServerPod(t testing.TB, more func(*wire.Container), env ...func(*pod) string) *pod {
	t.Helper()
	p := &pod{t: t, bin: t.TempDir(), library: parcel.NewLibrary(t.TempDir()), dir: t.TempDir(), source: trafficProgram, readyWithin: "1m"}
	p.buildSupervisor()
	p.buildVersion("image")
	p.address = unusedAddress(t) // While it compiled, another test could have taken it.
	number, err := strconv.Atoi(p.port())
	if err != nil {
		t.Fatal(err)
	}
	container := wire.Container{Ports: []int32{int32(number)}, PORT: int32(number)}
	if more != nil {
		more(&container)
	}
	text, err := json.Marshal(container)
	if err != nil {
		t.Fatal(err)
	}
	p.env = []string{"PORT=" + p.port()}
	for _, variable := range env {
		p.env = append(p.env, variable(p))
	}
	p.command = []string{"-container", string(text), "-grace", "30s", "-ready-within", p.readyWithin, filepath.Join(p.bin, "image")}
	p.start()
	return p
}

// port is that of the container.
func (p *pod) port() string {
	_, port, err := net.SplitHostPort(p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	return port
}

// buildVersion compiles a version of the source of the pod.
func (p *pod) buildVersion(version string, flags ...string) string {
	p.t.Helper()
	return p.goBuild(version, p.source, append(flags, "-ldflags=-X main.version="+version)...)
}

// Fifty versions take over from each other under traffic of all kinds, some of
// which end at once, or are never ready. Nothing is lost.
func TestNothingIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	for name, more := range map[string]func(*wire.Container){
		"a probe": func(c *wire.Container) {
			c.Readiness = &probe.Probe{HTTPGet: &probe.HTTPGet{Port: int(c.PORT), Path: "/"}}
		},
		"no probe": nil,
	} {
		t.Run(name, func(t *testing.T) {
			p := newServerPod(t, more)
			versions := []string{p.buildVersion("one"), p.buildVersion("two"), filepath.Join(p.bin, "image")}
			broken := p.buildVersion("broken", "-tags=broken")
			load := traffic.Start(t, p.address)
			for i := range 25 {
				if i%5 == 3 {
					if out, err := p.send(broken); err == nil || !strings.Contains(out, "panic: broken") {
						t.Errorf("the sender of a broken one is told %v, %q", err, out)
					}
					continue
				}
				path := versions[i%len(versions)]
				if out, err := p.send(path); err != nil {
					t.Errorf("%v: %s", err, out)
				}
				p.serves(filepath.Base(path))
			}
			load.Stop(t)
		})
	}
}

// A version that is never ready leaves the one before in its place.
func TestOneThatIsNeverReady(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newServerPod(t, nil, func(p *pod) string {
		p.readyWithin = "3s"
		return ""
	})
	out, err := p.send(p.buildVersion("unready", "-tags=unready"))
	if err == nil || !strings.Contains(out, "is not ready after 3s: dial tcp 127.0.0.1:") {
		t.Errorf("the sender is told %v, %q", err, out)
	}
	p.serves("image")
}

// Two versions that cannot run beside each other follow one another, and requests wait
// in between. The sender is told why.
func TestThoseThatCannotRunBesideEachOther(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	lock := filepath.Join(t.TempDir(), "lock")
	for name, test := range map[string]struct {
		env  func(*pod) string
		note string
	}{
		"a lock":       {func(*pod) string { return "LOCK=" + lock }, "it holds a lock on " + lock},
		"a fixed port": {func(p *pod) string { return "FIXED=" + p.port() }, "it listens on port %s whatever it is told"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newServerPod(t, nil, test.env)
			note := test.note
			if strings.Contains(note, "%s") {
				note = fmt.Sprintf(note, p.port())
			}
			for i, version := range []string{"one", "broken", "two"} {
				flags := []string{}
				if version == "broken" {
					flags = append(flags, "-tags=broken")
				}
				out, err := p.send(p.buildVersion(version, flags...))
				switch {
				case version == "broken":
					if err == nil || !strings.Contains(out, "panic: broken") {
						t.Errorf("the sender of a broken one is told %v, %q", err, out)
					}
					p.comes("one")
					continue
				case err != nil:
					t.Fatalf("version %d: %v: %s", i, err, out)
				case !strings.Contains(p.note, "started when the version before had ended: "+note):
					t.Errorf("the sender of version %d is told %q, expected %s", i, p.note, note)
				}
				p.comes(version)
			}
		})
	}
}

// Until the program listens nobody does, so that probes see what they saw without a
// supervisor.
func TestADoorOpensWithItsProgram(t *testing.T) {
	p := startServerPod(t, nil, func(*pod) string { return "DELAY=1s" })
	for time.Since(p.started) < 500*time.Millisecond {
		connection, err := net.Dial("tcp", p.address)
		if err == nil {
			connection.Close()
		}
		if took := time.Since(p.started); err == nil && took < time.Second {
			t.Fatalf("somebody listens after %v", took)
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.comes("image")
}

// Another program that takes the port for a moment, to see whether it is free, is not
// taken for the pod's own.
func TestAPortThatAnotherTakesForAMoment(t *testing.T) {
	p := startServerPod(t, nil, func(*pod) string { return "DELAY=1s" })
	for began := time.Now(); time.Since(began) < 700*time.Millisecond; time.Sleep(80 * time.Millisecond) {
		listener, err := net.Listen("tcp", p.address)
		if err != nil {
			break // The program listens by now.
		}
		time.Sleep(50 * time.Millisecond)
		listener.Close()
	}
	p.comes("image")
}

// A pod that ends finishes what its versions have begun, and takes no more once its
// program does not.
func TestAPodThatEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: see make test-all")
	}
	p := newServerPod(t, nil, func(*pod) string { return "GRACEFUL=yes" })
	begin := func() chan string {
		answered := make(chan string, 1)
		response, err := http.Get("http://" + p.address + "/?wait=10s") // It returns when the program has begun to answer.
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer response.Body.Close()
			got, err := io.ReadAll(response.Body)
			answered <- fmt.Sprint(string(got), " ", err)
		}()
		return answered
	}
	ofImage := begin()
	if out, err := p.send(p.buildVersion("one")); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ofOne := begin()
	p.cmd.Process.Signal(syscall.SIGTERM)
	for end := time.Now().Add(8 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("tcp", p.address)
		if err != nil {
			break
		}
		connection.Close()
		if time.Now().After(end) {
			t.Error("it still takes connections, which its program does not")
			break
		}
	}
	for want, answered := range map[string]chan string{"image <nil>": ofImage, "one <nil>": ofOne} {
		if got := <-answered; got != want {
			t.Errorf("a request that was begun is answered %q, expected %q", got, want)
		}
	}
	if p.cmd.Wait(); p.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("exit code %d", p.cmd.ProcessState.ExitCode())
	}
}

// comes waits until a version answers.
func (p *pod) comes(want string) {
	p.t.Helper()
	for end := time.Now().Add(deadline); ; time.Sleep(10 * time.Millisecond) {
		got, err := p.get("/")
		if err == nil && got == want {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("%q answers (error %v), expected %s\n%s", got, err, want, &p.output)
		}
	}
}

// get returns what the program answers.
func (p *pod) get(path string) (string, error) {
	response, err := http.Get("http://" + p.address + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(text), err
}

// serves fails unless a version answers now.
func (p *pod) serves(want string) {
	p.t.Helper()
	if got, err := p.get("/"); err != nil || got != want {
		p.t.Errorf("%q answers (error %v), expected %s\n%s", got, err, want, &p.output)
	}
}
