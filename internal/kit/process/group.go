// Package process runs programs that never outlive the program that started
// them, however that ends.
package process

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// toolGrace is how long a tool may take to clean up once it is interrupted, and
// how long its children may hold its output open once it has ended.
const toolGrace = 5 * time.Second

// Group owns the programs it starts. Each has a process group of its own, so
// that a terminal's Ctrl-C does not reach it, and so that its children end with
// it. A child that leaves its process group is beyond reach.
type Group struct {
	guard *guard
	forks chan func() // run by the thread that is the parent of all programs

	mu      sync.Mutex
	closed  bool
	running map[*exec.Cmd]struct{}
	left    sync.WaitGroup // for those in running
}

// NewGroup returns a group without programs. Close must be called; if the own
// process dies before, the programs die with it (except on Windows).
func NewGroup() (*Group, error) {
	guard, err := newGuard()
	if err != nil {
		return nil, fmt.Errorf("starting the guard of local processes: %w", err)
	}
	g := &Group{guard: guard, forks: make(chan func()), running: map[*exec.Cmd]struct{}{}}
	go g.fork()
	return g, nil
}

// fork starts programs on one thread that lives as long as the group: Linux
// kills a child when the thread that forked it ends, not when the process does.
func (g *Group) fork() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for start := range g.forks {
		start()
	}
}

// Run runs a tool to its end, as cmd.Run does, under the group's protection. The
// command comes from exec.CommandContext; when that context ends, the tool and
// its children are interrupted as by Ctrl-C, and killed five seconds later.
func (g *Group) Run(cmd *exec.Cmd) error {
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	cmd.WaitDelay = toolGrace
	if err := g.start(cmd); err != nil {
		return err
	}
	defer g.end(cmd)
	return cmd.Wait()
}

// AfterKill has a command run if our own process dies before Close and leaves
// programs: once they are killed, as what they have started elsewhere may be
// left. It does nothing on Windows. Commands run in the order of the calls.
func (g *Group) AfterKill(command ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.guard.afterKill(command); err != nil {
		return fmt.Errorf("telling the guard of local processes to run %s: %w", command[0], err)
	}
	return nil
}

// start starts a program; end must be called once it has been waited for.
func (g *Group) start(cmd *exec.Cmd) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errors.New("the group of local processes is closed")
	}
	isolate(cmd)
	started := make(chan error)
	g.forks <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return err
	}
	g.running[cmd] = struct{}{}
	g.left.Add(1)
	if err := g.guard.watch(g.running); err != nil {
		kill(cmd.Process)
		go func() { cmd.Wait(); g.end(cmd) }()
		return fmt.Errorf("the guard of local processes is gone: %w", err)
	}
	return nil
}

// end kills what an ended program has left of its process group, and forgets it.
// The group's id may be free by now, but it has not come around again.
func (g *Group) end(cmd *exec.Cmd) {
	kill(cmd.Process)
	g.mu.Lock()
	delete(g.running, cmd)
	g.guard.watch(g.running) // An error matters to the next start only.
	g.mu.Unlock()
	g.left.Done()
}

// Close kills the programs that are still running and returns when they are
// gone. Nothing can be started any more.
func (g *Group) Close() error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil
	}
	g.closed = true
	for cmd := range g.running {
		kill(cmd.Process)
	}
	g.mu.Unlock()
	g.left.Wait()
	close(g.forks)
	return g.guard.close()
}
