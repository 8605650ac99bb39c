//go:build unix

package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/process"
)

// patience is how long a test waits for what takes milliseconds on an idle machine.
const patience = 30 * time.Second

// output collects what a program writes, one entry for each Write.
type output struct {
	mu     sync.Mutex
	writes []string
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes = append(o.writes, string(p))
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.writes, "")
}

// eventually polls a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

// alive reports whether a process runs. One that has ended may still be listed
// as a zombie if nobody has waited for it.
func alive(id int) bool {
	if syscall.Kill(id, 0) != nil {
		return false
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id)) // Linux only.
	return !strings.Contains(string(stat), ") Z ")
}

func newGroup(t *testing.T) *process.Group {
	t.Helper()
	group, err := process.NewGroup()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := group.Close(); err != nil {
			t.Error(err)
		}
	})
	return group
}

func shell(script string, out *output) process.Command {
	return process.Command{Path: "/bin/sh", Args: []string{"-c", script}, Output: out}
}

// start runs a script and waits until it has said "ready".
func start(t *testing.T, group *process.Group, script string) (*process.Process, *output) {
	t.Helper()
	out := &output{}
	p, err := group.Start(shell(script, out))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready", func() bool { return strings.Contains(out.String(), "ready") })
	return p, out
}

func TestState(t *testing.T) {
	group := newGroup(t)
	for script, want := range map[string]process.State{
		"exit 0":          {},
		"exit 2":          {Code: 2},
		"kill -s SEGV $$": {Code: 139, Signal: "segmentation fault"},
		"kill -s KILL $$": {Code: 137, Signal: "killed"},
	} {
		p, err := group.Start(shell(script, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.State(); got != want {
			t.Errorf("%s: got %+v, want %+v", script, got, want)
		}
	}
	for want, state := range map[string]process.State{
		"exit code 2":                         {Code: 2},
		"killed by signal segmentation fault": {Code: 139, Signal: "segmentation fault"},
	} {
		if got := state.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestStopLetsAProgramFinish(t *testing.T) {
	p, out := start(t, newGroup(t), `trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done`)
	p.Stop(patience)
	if got := p.State(); got.Code != 7 {
		t.Errorf("got %v, want exit code 7", got)
	}
	if !strings.Contains(out.String(), "bye") {
		t.Errorf("the last words are missing in %q", out)
	}
}

func TestStopByTheCommandsOwnWay(t *testing.T) {
	out := &output{}
	command := shell(`trap 'echo on request; exit 3' INT; echo ready; while :; do sleep 0.01; done`, out)
	command.Terminate = func(p *os.Process) { p.Signal(os.Interrupt) }
	p, err := newGroup(t).Start(command)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready", func() bool { return strings.Contains(out.String(), "ready") })
	p.Stop(patience)
	if got := p.State(); got.Code != 3 || !strings.Contains(out.String(), "on request") {
		t.Errorf("got %v, %q", got, out)
	}
}

func TestUnprivileged(t *testing.T) {
	user, err := process.Unprivileged("no-such-user", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		if user != nil {
			t.Errorf("got %+v, but we are not root", user)
		}
		return
	}
	out := &output{}
	command := shell("id -u; id -g", out)
	command.User, command.Dir = user, "/"
	group := newGroup(t)
	p, err := group.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if want := fmt.Sprintf("%d\n%d\n", user.UID, user.GID); out.String() != want {
		t.Errorf("a program of its own: got %q, want %q", out, want)
	}
	tool, said := exec.CommandContext(t.Context(), "id", "-u"), &output{}
	tool.Stdout, tool.Dir = said, "/"
	process.SetUser(tool, user)
	if err := group.Run(tool); err != nil || said.String() != fmt.Sprintln(user.UID) {
		t.Errorf("a tool: got %q, %v, want %d", said, err, user.UID)
	}
	if _, err := process.Unprivileged("no-such-user"); err == nil || !strings.Contains(err.Error(), "no-such-user") {
		t.Errorf("without such a user: %v", err)
	}
}

func TestStopKillsAStubbornProgramAndItsChildren(t *testing.T) {
	p, out := start(t, newGroup(t), `trap '' TERM; sleep 1000 & echo $!; echo ready; while :; do sleep 0.01; done`)
	p.Stop(50 * time.Millisecond)
	if got := p.State(); got.Signal != "killed" {
		t.Errorf("got %v, want it killed", got)
	}
	child := number(t, out.writes[0])
	eventually(t, "the end of its child", func() bool { return !alive(child) })
}

func TestChildrenEndWithTheirProgram(t *testing.T) {
	p, out := start(t, newGroup(t), `sleep 1000 & echo $!; echo ready`)
	<-p.Done() // although the child holds the output open
	child := number(t, out.writes[0])
	eventually(t, "the end of its child", func() bool { return !alive(child) })
}

func TestOutputComesInWholeLines(t *testing.T) {
	out := &output{}
	p, err := newGroup(t).Start(shell(`
		printf 'hal'; sleep 0.05; printf 'f\n\n'; echo error >&2
		head -c 100000 /dev/zero | tr '\0' x; echo
		printf last`, out))
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	long := strings.Repeat("x", 100000)
	want := []string{"half\n", "\n", "error\n", long[:64<<10], long[64<<10:] + "\n", "last"}
	if got := fmt.Sprintf("%.20q", out.writes); got != fmt.Sprintf("%.20q", want) || out.String() != strings.Join(want, "") {
		t.Errorf("got %s, want %.20q", got, want)
	}
}

func TestEnvironmentAndDirectory(t *testing.T) {
	out, dir := &output{}, t.TempDir()
	command := shell(`echo "$GREETING"; pwd -P`, out)
	command.Env, command.Dir = []string{"GREETING=hello"}, dir
	p, err := newGroup(t).Start(command)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if got := out.String(); !strings.HasPrefix(got, "hello\n") || !strings.HasSuffix(got, dir+"\n") {
		t.Errorf("got %q", got)
	}
}

func TestStartOfWhatDoesNotExist(t *testing.T) {
	_, err := newGroup(t).Start(process.Command{Path: "/does/not/exist"})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("got %v", err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	group := newGroup(t)
	p, out := start(t, group, `trap '' TERM; sleep 1000 & echo $!; echo ready; while :; do sleep 0.01; done`)
	if err := group.Close(); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	child := number(t, out.writes[0])
	eventually(t, "the end of its child", func() bool { return !alive(child) })
	if _, err := group.Start(shell("exit 0", nil)); err == nil {
		t.Error("a closed group starts programs")
	}
}

func TestCloseDoesNotRunWhatFollowsAKill(t *testing.T) {
	group, err := process.NewGroup()
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	if err := group.AfterKill("/usr/bin/touch", trace); err != nil {
		t.Fatal(err)
	}
	if _, err := group.Start(shell("sleep 1000", nil)); err != nil {
		t.Fatal(err)
	}
	if err := group.Close(); err != nil { // It waits for the guard.
		t.Fatal(err)
	}
	if _, err := os.Stat(trace); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the command has run (error %v)", err)
	}
}

func TestRunInterruptsAToolAndItsChildren(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &output{}
	tool := exec.CommandContext(ctx, "/bin/sh", "-c", `trap 'echo cleaned up; exit 1' INT; sh -c 'echo ready; exec sleep 1000'`)
	tool.Stdout = out
	group := newGroup(t)
	ended := make(chan error)
	go func() { ended <- group.Run(tool) }()
	eventually(t, "ready", func() bool { return strings.Contains(out.String(), "ready") })
	cancel()
	if err := <-ended; err == nil || tool.ProcessState.ExitCode() != 1 {
		t.Errorf("got %v, %v", err, tool.ProcessState)
	}
	if !strings.Contains(out.String(), "cleaned up") {
		t.Errorf("the tool could not clean up: %q", out)
	}
}

func number(t *testing.T, line string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
