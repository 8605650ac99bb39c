package daemon

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func newSupervisor(t *testing.T) Supervisor {
	t.Helper()
	s := Supervisor{RunDir: t.TempDir(), LogDir: t.TempDir()}
	t.Cleanup(func() {
		// t.Context() has ended by now.
		if err := s.Stop(context.Background(), "sleeper", time.Second); err != nil {
			t.Error(err)
		}
	})
	return s
}

func sleeper(t *testing.T, files ...string) Program {
	t.Helper()
	path, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	return Program{Name: "sleeper", Path: path, Args: []string{"600"}, Files: files}
}

func ensure(t *testing.T, s Supervisor, p Program) (started bool) {
	t.Helper()
	started, err := s.Ensure(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return started
}

func pid(t *testing.T, s Supervisor, name string) int {
	t.Helper()
	r, ok := s.running(name)
	if !ok {
		t.Fatalf("%s does not run", name)
	}
	return r.PID
}

func TestEnsureStartsOnce(t *testing.T) {
	s, p := newSupervisor(t), sleeper(t)
	if !ensure(t, s, p) {
		t.Error("the first call started nothing")
	}
	first := pid(t, s, p.Name)
	if ensure(t, s, p) || pid(t, s, p.Name) != first {
		t.Error("the second call started it again")
	}
	if err := s.Stop(t.Context(), p.Name, time.Second); err != nil {
		t.Fatal(err)
	}
	if s.Running(p.Name) {
		t.Error("it runs after Stop")
	}
}

func TestEnsureRestartsWhatDied(t *testing.T) {
	s, p := newSupervisor(t), sleeper(t)
	ensure(t, s, p)
	r, _ := s.running(p.Name)
	if err := syscall.Kill(r.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if gone, err := r.awaitEnd(t.Context(), time.Minute); !gone {
		t.Fatal("still alive after being killed", err)
	}
	if !ensure(t, s, p) {
		t.Error("a dead program was not started again")
	}
}

func TestEnsureRestartsWhatChanged(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	write := func(content string) {
		if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a")
	s, p := newSupervisor(t), sleeper(t, config)
	ensure(t, s, p)
	write("b")
	if !ensure(t, s, p) {
		t.Error("not restarted after its configuration changed")
	}
	p.Args = []string{"601"}
	if !ensure(t, s, p) {
		t.Error("not restarted after its arguments changed")
	}
}

func TestStopLeavesAnotherProcessWithThePidAlone(t *testing.T) {
	s, p := newSupervisor(t), sleeper(t)
	ensure(t, s, p)
	mine, _ := s.running(p.Name)
	other := mine
	other.Started-- // the pidfile of a process that had this pid earlier
	if err := other.write(s.pidfile(p.Name)); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context(), p.Name, time.Second); err != nil {
		t.Fatal(err)
	}
	if !mine.alive() {
		t.Error("a process that is not the pidfile's was stopped")
	}
	if err := mine.end(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestParseStat(t *testing.T) {
	tail := " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"
	for _, name := range []string{"(sleep)", "(a b)", "(x) S 1 (y)"} {
		state, started, err := parseStat([]byte("12 " + name + tail))
		if err != nil || state != "S" || started != 4711 {
			t.Errorf("%s: got %q, %d, %v", name, state, started, err)
		}
	}
	for _, bad := range []string{"", "12 (sleep", "12 (sleep) S 1", strings.Repeat("x ", 40)} {
		if _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
