//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// runOn starts a command in the background and returns when it has printed what
// the document shows.
func runOn(t *testing.T, checkout string, command command) {
	t.Helper()
	output := &safeBuffer{}
	cmd := exec.Command("bash", "-c", command.text)
	cmd.Dir, cmd.Stdout, cmd.Stderr = checkout, output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
			t.Errorf("line %d: $ %s: %v", command.line, command.text, err)
		}
		if err := cmd.Wait(); err != nil {
			t.Logf("$ %s: %v", command.text, err) // Of the signal.
		}
		t.Logf("$ %s\n%s", command.text, output)
	})
	eventually(t, "$ "+command.text, func(context.Context) error {
		if !shown(command.want).MatchString(output.String()) {
			return fmt.Errorf("line %d: it printed\n%s\nthe document shows\n%s", command.line, output, command.want)
		}
		return nil
	})
}

// safeBuffer is a bytes.Buffer that one side fills while another reads.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// shell is a running bash.
type shell struct {
	stdin  io.Writer
	stdout *bufio.Reader
}

// documentTimeout bounds what the commands of one document take together.
const documentTimeout = 10 * time.Minute

// endOfCommand is what the shell prints behind the output of each command.
const endOfCommand = "@@ end of command, exit status "

func startShell(t *testing.T, checkout string) *shell {
	t.Helper()
	cmd := exec.Command("bash")
	cmd.Dir = checkout
	// A group of its own, to end what a document leaves in the background.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
			t.Errorf("ending the shell: %v", err)
		}
	}
	stuck := time.AfterFunc(documentTimeout, end)
	t.Cleanup(func() {
		if stuck.Stop() {
			end()
		}
		if err := cmd.Wait(); err != nil {
			t.Logf("the shell ended: %v", err) // Of the signal.
		}
	})
	return &shell{stdin: stdin, stdout: bufio.NewReader(stdout)}
}

// run returns what a command prints, and its exit status.
func (s *shell) run(t *testing.T, text string) (output, status string) {
	t.Helper()
	if _, err := fmt.Fprintf(s.stdin, "%s\necho \"\n%s$?\"\n", text, endOfCommand); err != nil {
		t.Fatalf("$ %s: %v", text, err)
	}
	var out strings.Builder
	for {
		line, err := s.stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("$ %s: %v\n%s", text, err, out.String())
		}
		if status, found := strings.CutPrefix(line, endOfCommand); found {
			t.Logf("$ %s\n%s", text, out.String())
			return out.String(), strings.TrimSpace(status)
		}
		out.WriteString(line)
	}
}
