//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/workshop/flow"
)

// laptop is a running `ko up`.
type laptop struct {
	cmd   *exec.Cmd
	port  int
	state string
	lines chan string // what it prints
}

// startUp runs the dev overlay of a checkout.
func startUp(t testing.TB, checkout, state string) *laptop {
	t.Helper()
	l := runUp(t, checkout, state, "kustomize/overlays/dev")
	for _, service := range services {
		l.answers(t, service, "/readyz", http.StatusOK)
	}
	return l
}

// runUp starts `ko up` on a kustomization of a checkout and a free port.
func runUp(t testing.TB, checkout, state, kustomization string, args ...string) *laptop {
	t.Helper()
	l := &laptop{port: kittest.FreePort(t), state: state, lines: make(chan string, 1000)}
	args = append([]string{"up", "-k", kustomization, "--state", state, fmt.Sprintf("--port=%d", l.port)}, args...)
	l.cmd = exec.Command(koPath(t), args...)
	l.cmd.Dir = checkout
	output, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.cmd.Stderr = l.cmd.Stdout
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go l.read(output)
	t.Cleanup(func() { l.end(t, syscall.SIGKILL) })
	return l
}

// read keeps the newest lines, for a test that fails.
func (l *laptop) read(output io.Reader) {
	defer close(l.lines)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		for {
			select {
			case l.lines <- lines.Text():
			default:
				<-l.lines
				continue
			}
			break
		}
	}
}

// end sends a signal and waits for the end; later calls do nothing.
func (l *laptop) end(t testing.TB, signal syscall.Signal) error {
	t.Helper()
	if l.cmd.ProcessState != nil {
		return nil
	}
	l.cmd.Process.Signal(signal) // It may have ended by itself.
	err := l.cmd.Wait()
	if t.Failed() {
		for line := range l.lines {
			t.Log(line)
		}
	}
	return err
}

func (l *laptop) url(service string) string {
	return fmt.Sprintf("http://%s.api.localhost:%d", service, l.port)
}

func (l *laptop) shop() flow.Shop {
	return flow.Shop{Gateway: fmt.Sprintf("http://localhost:%d", l.port), Users: l.url("user-svc")}
}

// answers waits until a service answers with a status.
func (l *laptop) answers(t testing.TB, service, path string, status int) {
	t.Helper()
	eventually(t, service+" answers", func(ctx context.Context) error {
		got, _, err := get(ctx, l.url(service)+path)
		if err == nil && got != status {
			err = fmt.Errorf("%s answers %d", service, got)
		}
		return err
	})
}

// get returns what a URL answers.
func get(ctx context.Context, url string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// resolveLocalhost makes this process find *.localhost on this machine, as curl
// and browsers do whatever the resolver says.
var resolveLocalhost = sync.OnceFunc(func() {
	transport := http.DefaultTransport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
			address = net.JoinHostPort("localhost", port)
		}
		return dial(ctx, network, address)
	}
})

// The overlay runs without a cluster: the user flow works, a second start finds
// the orders of the first, and nothing is left of it, not even after kill -9.
func TestUpWithoutACluster(t *testing.T) {
	resolveLocalhost()
	state := t.TempDir()
	first := startUp(t, repository, state)
	first.passes(t)
	receipt, err := first.shop().Walk(t.Context(), uuid.NewString()+"@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := first.end(t, syscall.SIGINT); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	if left := processesOf(t, state); len(left) > 0 {
		t.Errorf("Ctrl-C left %q", left)
	}
	second := startUp(t, repository, state)
	if err := second.shop().Check(t.Context(), receipt); err != nil {
		t.Errorf("the second start: %v", err)
	}
	if len(processesOf(t, state)) != len(services) {
		t.Errorf("%d processes run, want one for each service", len(processesOf(t, state)))
	}
	second.end(t, syscall.SIGKILL)
	eventually(t, "kill -9 leaves nothing", func(context.Context) error {
		if left := processesOf(t, state); len(left) > 0 {
			return fmt.Errorf("left: %q", left)
		}
		return nil
	})
}

// On a terminal a table shows how the services do, and q ends it all.
func TestUpOnATerminal(t *testing.T) {
	resolveLocalhost()
	state := t.TempDir()
	port := kittest.FreePort(t)
	cmd := exec.Command("script", "--quiet", "--return", "--command",
		fmt.Sprintf("%s up -k kustomize/overlays/dev product-svc --state %s --port %d", koPath(t), state, port), "/dev/null")
	cmd.Dir = repository
	screen := &safeBuffer{}
	cmd.Stdout, cmd.Stderr = screen, screen
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`product-svc +\S*ready *\S* +[0-9.]+s +[0-9.]+s +0  http://localhost:` + strconv.Itoa(port))
	eventually(t, "the table shows a service that is ready", func(context.Context) error {
		if !row.MatchString(screen.String()) {
			return fmt.Errorf("the screen shows\n%s", screen)
		}
		return nil
	})
	if _, err := io.WriteString(keys, "q"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("q ends it with: %v\n%s", err, screen)
	}
	if left := processesOf(t, state); len(left) > 0 {
		t.Errorf("q left %q", left)
	}
}

// processesOf returns the processes whose executable, or working directory, is
// below a directory.
func processesOf(t testing.TB, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var running []string
	for _, link := range links {
		exe, err := os.Readlink(link)
		if err != nil {
			continue // It has ended, or belongs to somebody else.
		}
		cwd, _ := os.Readlink(filepath.Join(filepath.Dir(link), "cwd"))
		if strings.HasPrefix(exe, dir+"/") || strings.HasPrefix(cwd, dir+"/") {
			running = append(running, link+": "+exe)
		}
	}
	return running
}
