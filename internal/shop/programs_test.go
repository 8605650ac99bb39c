package shop_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/shoptest/ports"
)

// programs holds the services' programs, built as their images are.
var programs struct {
	once sync.Once
	dir  string
	err  error
}

// buildPrograms returns the directory with the services' programs, which removePrograms
// removes.
func buildPrograms(tb testing.TB) string {
	tb.Helper()
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "shop"); programs.err != nil {
			return
		}
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", programs.dir+"/",
			module+"/cmd/user-svc", module+"/cmd/product-svc", module+"/cmd/orders-svc", module+"/cmd/payments-svc", module+"/cmd/api-gateway")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			programs.err = fmt.Errorf("%v: %w\n%s", build, err, out)
		}
	})
	if programs.err != nil {
		tb.Fatal(programs.err)
	}
	return programs.dir
}

func removePrograms() error {
	if programs.dir == "" {
		return nil
	}
	return os.RemoveAll(programs.dir)
}

// process is a service that runs by itself.
type process struct {
	address, url string
	pid          int
}

// startProgram runs a service with more of its environment until the test ends.
func startProgram(tb testing.TB, name string, environment ...string) process {
	tb.Helper()
	address := freeAddress(tb)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	command := exec.Command(filepath.Join(buildPrograms(tb), name))
	command.Env = append(append(os.Environ(), "HOST=127.0.0.1", "PORT="+port), environment...)
	startCommand(tb, command)
	p := process{address, "http://" + address, command.Process.Pid}
	await(tb, 20*time.Second, name+" is ready", func() bool { return p.status("/readyz") == http.StatusOK })
	return p
}

// startCommand runs a command until the test ends. Its log is shown if the test fails.
func startCommand(tb testing.TB, command *exec.Cmd) {
	tb.Helper()
	log, err := os.Create(filepath.Join(tb.TempDir(), "log"))
	if err != nil {
		tb.Fatal(err)
	}
	command.Stderr = log
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		stopProgram(tb, command)
		if content, err := os.ReadFile(log.Name()); err == nil && tb.Failed() {
			tb.Logf("%v: … %s", command, content[max(0, len(content)-2000):])
		}
		log.Close()
	})
}

// freeAddress returns an address at which nothing listens.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	return "127.0.0.1:" + strconv.Itoa(ports.Free(tb))
}

// stopProgram asks the program to end, and ends it if it does not.
func stopProgram(tb testing.TB, command *exec.Cmd) {
	if err := command.Process.Signal(os.Interrupt); err != nil {
		tb.Error(err)
	}
	timer := time.AfterFunc(30*time.Second, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	if err := command.Wait(); err != nil {
		tb.Errorf("%v: %v", command, err)
	}
}

// status asks for a path on a connection of its own. It is 0 without an answer.
func (p process) status(path string) int {
	answer, _, err := bad{request: message(http.MethodGet, path, "")}.send(p.address, time.Now().Add(within))
	if err != nil {
		return 0
	}
	return answer.StatusCode
}

// await fails the test unless what is described holds in time.
func await(tb testing.TB, patience time.Duration, what string, holds func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("after %v it does not hold that %s", patience, what)
		}
	}
}

// peakMemory is the most memory that the process has ever had, in bytes (proc(5)).
func (p process) peakMemory(tb testing.TB) int {
	tb.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if os.IsNotExist(err) {
		tb.Skip("this system does not tell what memory a process has: ", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	_, after, ok := bytes.Cut(content, []byte("VmHWM:"))
	fields := bytes.Fields(after)
	if !ok || len(fields) < 2 {
		tb.Fatal("no VmHWM in /proc/PID/status")
	}
	kilobytes, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		tb.Fatal(err)
	}
	return kilobytes << 10
}
