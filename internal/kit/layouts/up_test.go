//go:build linux

package layouts_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshop/koshop/internal/kit/kittest"
	"github.com/koshop/koshop/internal/kit/layouts"
)

// patience is how long a slow machine may take for what a test waits for.
const patience = 2 * time.Minute

// up runs the layout's kustomization and asks its programs at the front door. A
// `ko up` that cannot run them may end, or say so and wait for a change.
func (r *repository) up(t *testing.T) {
	port := strconv.Itoa(kittest.FreePort(t))
	run := start(t, r.ko(t, "up", "-k", r.Kustomization, "--port", port))
	defer run.stop()
	if expected := r.Fails("up"); len(expected) > 0 {
		says := func() bool { return run.printed.has(slices.Concat(expected, r.Prints["up"])) }
		run.until(func() bool { return says() || settled(ask(t, port, r.Programs[0])) })
		run.until(says, 5*time.Second)
		r.judge(t, "up", errors.New("it serves nothing"), run.printed.String())
		return
	}
	for _, p := range r.Programs {
		var answer string
		run.until(func() bool {
			var status int
			status, answer = ask(t, port, p)
			return settled(status, answer)
		})
		if answer != p.Says {
			t.Errorf("%s answers %q, want %q; ko up prints\n%s", p.ImportPath, answer, p.Says, run.printed)
		}
	}
	r.judge(t, "up", run.stop(), run.printed.String())
}

// settled reports whether an answer of the front door is the last word, unless a
// file changes.
func settled(status int, answer string) bool {
	return status == http.StatusOK || strings.Contains(answer, "does not compile")
}

// running is a command that goes on until it is stopped.
type running struct {
	cmd     *exec.Cmd
	printed *buffer
	over    context.Context // done when the command has ended, or is late
	stop    func() error    // ends the command and returns how it ended
}

func start(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{cmd: cmd, printed: &buffer{}}
	cmd.Stdout, cmd.Stderr = r.printed, r.printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over, end := context.WithTimeout(context.Background(), patience)
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		end()
	}()
	r.over = over
	r.stop = sync.OnceValue(func() error {
		cmd.Process.Signal(os.Interrupt) // It may have ended.
		return <-ended
	})
	return r
}

// until polls a condition as long as the command runs, or for a shorter time.
func (r *running) until(done func() bool, limit ...time.Duration) {
	ctx := r.over
	for _, limit := range limit {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, limit)
		defer end()
	}
	for !done() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// ask asks a program at the front door, by the name of its Service.
func ask(t *testing.T, port string, p *layouts.Program) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = p.Service + ".shop.localhost:" + port
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(body)
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// has reports whether all of the texts are in it.
func (b *buffer) has(texts []string) bool {
	printed := b.String()
	return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(printed, text) })
}
