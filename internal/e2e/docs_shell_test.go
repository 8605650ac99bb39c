//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// terminal is one in which a command runs on.
type terminal struct {
	command command
	cmd     *exec.Cmd
	output  *safeBuffer
	end     func() error // waits, once
}

// openTerminal runs a command in the background and returns when it has printed
// what the document shows.
func openTerminal(t *testing.T, r reader, command command) *terminal {
	t.Helper()
	term := &terminal{command: command, output: &safeBuffer{}, cmd: exec.Command("bash", "-c", command.text)}
	term.cmd.Dir, term.cmd.Env, term.cmd.Stdout, term.cmd.Stderr = r.dir, r.env, term.output, term.output
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	term.cmd.WaitDelay = patience // What it has started may outlive it.
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term.end = sync.OnceValue(term.cmd.Wait)
	t.Cleanup(func() {
		// It has ended already where the reader has pressed Ctrl-C.
		if err := syscall.Kill(-term.cmd.Process.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("line %d: $ %s: %v", command.line, command.text, err)
		}
		if err := term.end(); err != nil {
			t.Logf("$ %s: %v", command.text, err) // Of the signal.
		}
		t.Logf("$ %s\n%s", command.text, term.output)
	})
	eventually(t, "$ "+command.text, func(context.Context) error {
		if !shown(command.want).MatchString(term.output.String()) {
			return fmt.Errorf("line %d: it printed\n%s\nthe document shows\n%s", command.line, term.output, command.want)
		}
		return nil
	})
	return term
}

// interrupt presses Ctrl-C, which must end the command.
func (term *terminal) interrupt(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-term.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Errorf("line %d: $ %s: has ended by itself: %v\n%s", term.command.line, term.command.text, err, term.output)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		term.end()
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("line %d: $ %s: Ctrl-C does not end it\n%s", term.command.line, term.command.text, term.output)
	}
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
const documentTimeout = 40 * time.Minute

// endOfCommand is what the shell prints behind the output of each command.
const endOfCommand = "@@ end of command, exit status "

func startShell(t *testing.T, r reader) *shell {
	t.Helper()
	cmd := exec.Command("bash")
	cmd.Dir, cmd.Env = r.dir, r.env
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
