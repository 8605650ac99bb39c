//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// overlay names a file for go build -overlay: it is how a mutant is built.
const overlay = "CHAOS_OVERLAY"

var services = []string{"user-svc", "product-svc", "orders-svc", "payments-svc", "api-gateway"}

// programs are the services, built once.
var programs struct {
	build sync.Once
	dir   string
	err   error
}

// program returns the path of a service.
func program(t *testing.T, name string) string {
	t.Helper()
	programs.build.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "chaos"); programs.err != nil {
			return
		}
		args := []string{"build", "-trimpath", "-o", programs.dir}
		if file := os.Getenv(overlay); file != "" {
			args = append(args, "-overlay", file)
		}
		for _, service := range services {
			args = append(args, "github.com/koshop/koshop/cmd/"+service)
		}
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			programs.err = fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	})
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	return filepath.Join(programs.dir, name)
}

// process is a replica of a service. Each of its lives has another port.
type process struct {
	name, path, log string
	env             []string
	random          *rand.Rand

	mu     sync.Mutex
	cmd    *exec.Cmd
	port   int
	exited chan struct{}
}

// startWithin is more than a service waits for its database.
const startWithin = 90 * time.Second

// start starts the process and waits until it is ready.
func (p *process) start() error {
	until := time.Now().Add(startWithin)
	for time.Now().Before(until) {
		if err := p.launch(); err != nil {
			return err
		}
		for alive := true; alive && time.Now().Before(until); {
			if p.ready() {
				return nil
			}
			select {
			case <-p.exited: // Somebody else took the port, or the database stayed away.
				alive = false
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return fmt.Errorf("%s is not ready within %v", p.name, startWithin)
}

func (p *process) launch() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.port = freePort(p.random)
	p.cmd = exec.Command(p.path)
	p.cmd.Env = append([]string{"HOST=127.0.0.1", fmt.Sprintf("PORT=%d", p.port), "DRAIN_DELAY=0s"}, p.env...)
	p.cmd.Stderr = log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait() // Most are killed.
		close(exited)
	}(p.cmd, p.exited)
	return nil
}

// freePort returns a port that no outgoing connection takes meanwhile.
func freePort(random *rand.Rand) int {
	for {
		port := 4_000 + random.IntN(6_000) // Other tests have those above.
		if ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			ln.Close()
			return port
		}
	}
}

func (p *process) ready() bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(p.url() + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

func (p *process) host() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("127.0.0.1:%d", p.port)
}

func (p *process) url() string { return "http://" + p.host() }

// signal sends a signal to the process, which may have ended.
func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %v to %s: %w", s, p.name, err)
	}
	return nil
}

// kill ends the process, if it was started, as a crash does.
func (p *process) kill() error {
	if p.exited == nil {
		return nil
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// freeze stops the process for a while, as a node without memory does.
func (p *process) freeze(d time.Duration) error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(d)
	return p.signal(syscall.SIGCONT)
}

// logged returns the lines of the log that match.
func (p *process) logged(t *testing.T, pattern *regexp.Regexp) (lines []string) {
	t.Helper()
	all, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(all)) {
		if pattern.MatchString(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
