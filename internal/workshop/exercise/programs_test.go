package exercise_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/shop/shoptest/ports"
)

// executables is the directory of the programs under test.
var executables string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "exercise-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	const module = "github.com/koshop/koshop/"
	build := exec.Command("go", "build", "-o", dir, module+"cmd/payments-starter", module+"cmd/payments-svc", module+"cmd/orders-svc",
		module+"internal/workshop/exercise/solution")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	executables = dir
	return m.Run()
}

// start runs a program on loopback until the end of the test, and returns its
// URL once it is ready.
func start(t *testing.T, program string, env ...string) string {
	t.Helper()
	address := freeAddress(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(filepath.Join(executables, program))
	cmd.Env = append(env, "HOST="+host, "PORT="+port)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("stopping %s: %v", program, err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s ends with %v", program, err)
		}
		if t.Failed() {
			t.Logf("%s:\n%s", program, log.Bytes())
		}
	})
	awaitReady(t, program, "http://"+address)
	return "http://" + address
}

func awaitReady(t *testing.T, program, url string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get(url + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("it answers %d", answer.StatusCode)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready: %v", program, err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	return "127.0.0.1:" + strconv.Itoa(ports.Free(t))
}
