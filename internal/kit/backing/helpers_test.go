package backing_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/process"
)

// deadline bounds the waiting for what takes a second on an idle machine.
const deadline = time.Minute

// place is where a test runs containers.
type place struct {
	t      *testing.T
	group  *process.Group
	finder *backing.Finder
	state  string
	said   lines
}

type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newPlace(t *testing.T) *place {
	t.Helper()
	group, err := process.NewGroup()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, group: group}
	p.finder = backing.NewFinder(t.Context(), backing.Auto, group, &p.said)
	t.Cleanup(func() { p.finder.Close(); group.Close() })
	if p.state, err = os.MkdirTemp("", "backing"); err != nil { // The directory above t.TempDir() is closed to other users.
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(p.state) })
	if err := os.Chmod(p.state, 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

// directory makes one below the state directory.
func (p *place) directory(name string) string {
	p.t.Helper()
	dir := filepath.Join(p.state, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
	return dir
}

// start runs a container by a program of this machine, and skips the test where
// that is not installed. stop ends it.
func (p *place) start(c backing.Container) (program *backing.Program, stop func()) {
	p.t.Helper()
	way, err := p.finder.Find(p.t.Context(), c.Image, c.Command, c.Args)
	if err != nil {
		p.t.Skip(err)
	}
	if !way.Local() {
		p.t.Skip("no program of this machine runs it, but a container engine")
	}
	c.State, c.Private, c.Output, c.Grace = p.state, p.directory("private"), &p.said, deadline
	c.Inherited = []string{"PATH=" + os.Getenv("PATH")}
	if program, err = way.Prepare(p.t.Context(), c); err != nil {
		p.t.Fatal(err)
	}
	program.Command.Output = &p.said
	run, err := p.group.Start(program.Command)
	if err != nil {
		p.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		run.Stop(deadline)
		if state := run.State(); state.Code != 0 && state.Code != 1 { // NATS ends a SIGTERM with 1.
			p.t.Errorf("%s ended with %v and said\n%s", program.Origin, state, &p.said)
		}
	})
	p.t.Cleanup(stop)
	return program, stop
}

// answers waits until a command succeeds beside the program, as a probe does,
// and returns what it prints.
func (p *place) answers(program *backing.Program, command ...string) string {
	p.t.Helper()
	for end := time.Now().Add(deadline); ; time.Sleep(20 * time.Millisecond) {
		var said bytes.Buffer
		cmd := program.Exec(p.t.Context(), command)
		cmd.Stdout, cmd.Stderr = &said, &said
		err := p.group.Run(cmd)
		if err == nil {
			return strings.TrimSpace(said.String())
		}
		if time.Now().After(end) {
			p.t.Fatalf("%q: %v: %s\nthe program said\n%s", command, err, &said, &p.said)
		}
	}
}
