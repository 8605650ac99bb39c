package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/koshop/koshop/internal/kit/process"
)

// isGone fails while the run has containers.
func (e *Engine) isGone(ctx context.Context) error {
	ids, err := e.list(ctx, labelKey)
	if err == nil && len(ids) > 0 {
		err = fmt.Errorf("there are %q", ids)
	}
	return err
}

// parent runs a container, says so, and waits to be killed.
func parent(dir string) {
	ctx := context.Background()
	group, err := process.NewGroup()
	check(err)
	e, err := Find(ctx)
	check(err)
	if filepath.Base(dir) == "guarded" {
		check(group.AfterKill(e.RemoveLeft()...))
	}
	running, err := e.Container(Container{Name: "left", Image: image, Private: dir})
	check(err)
	running.Command.Output = os.Stdout
	_, err = group.Start(running.Command)
	check(err)
	select {}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// killed returns when a run was killed whose container served.
func killed(t *testing.T, name string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(os.Args[0])
	run.Env = append(os.Environ(), runParent+"="+dir)
	said := &output{}
	run.Stdout, run.Stderr = said, said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer run.Wait()
	defer run.Process.Kill()
	eventually(t, "a container that serves", func() error {
		if !strings.Contains(said.String(), "serving") {
			return fmt.Errorf("the run said %q", said)
		}
		return nil
	})
}

func TestNothingIsLeftWhenTheRunIsKilled(t *testing.T) {
	e := start(t)
	killed(t, "guarded")
	eventually(t, "the removal by the guard", func() error { return e.isGone(t.Context()) })
	killed(t, "unguarded")
	if err := e.isGone(t.Context()); err == nil {
		t.Fatal("nothing is left that could be removed")
	}
	if err := e.Close(); err != nil { // The container is another run's.
		t.Error(err)
	}
	if err := e.isGone(t.Context()); err == nil {
		t.Error("the container of another run was removed with our own")
	}
	if err := e.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if err := e.isGone(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestIsOver(t *testing.T) {
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	for label, want := range map[string]bool{
		ownLabel(): false,
		fmt.Sprintf("%s/%d/at another time", host, os.Getpid()): true,
		fmt.Sprintf("%s/%d/1", host, ended.Process.Pid):         true,
		fmt.Sprintf("not-%s/%d/1", host, ended.Process.Pid):     false,
		"anything": false,
	} {
		if got := isOver(label); got != want {
			t.Errorf("%q: got %v, want %v", label, got, want)
		}
	}
	zombie := exec.Command("sleep", "1000")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	when, _ := began(zombie.Process.Pid)
	zombie.Process.Signal(syscall.SIGKILL)
	label := fmt.Sprintf("%s/%d/%s", host, zombie.Process.Pid, when)
	eventually(t, "the end of a process that was not waited for", func() error {
		if !isOver(label) {
			return errors.New(label)
		}
		return nil
	})
	zombie.Wait()
}
