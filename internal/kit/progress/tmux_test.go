//go:build unix

package progress

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// order is what the program in tmux is told; it answers with the size that its
// window has.
type order struct{ Stay, Live []string }

// serveAddress names the variable with the socket of the program in tmux.
const serveAddress = "PROGRESS_TEST_SOCKET"

// TestMain is the program in tmux, or the tests.
func TestMain(m *testing.M) {
	address := os.Getenv(serveAddress)
	if address == "" {
		os.Exit(m.Run())
	}
	connection, err := net.Dial("unix", address)
	if err != nil {
		panic(err)
	}
	s := newScreen(os.Stdout)
	for in, out := json.NewDecoder(connection), json.NewEncoder(connection); ; {
		var o *order
		if in.Decode(&o) != nil {
			return
		}
		if o != nil {
			s.draw(o.Stay, o.Live)
		}
		width, height := s.size()
		out.Encode([2]int{width, height})
	}
}

// multiplexed is a screen in a window of tmux.
type multiplexed struct {
	t      *testing.T
	socket string // of the tmux server
	in     *json.Encoder
	out    *json.Decoder
}

func newMultiplexed(t *testing.T, columns, rows int) *multiplexed {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed: install it to see the screen in a real terminal")
	}
	dir, err := os.MkdirTemp("", "ko") // t.TempDir may be too long for a socket.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "test"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	d := &multiplexed{t: t, socket: filepath.Join(dir, "tmux")}
	t.Cleanup(func() { d.command("kill-server") })
	d.must("new-session", "-d", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(rows),
		fmt.Sprintf("exec env %s=%s %s", serveAddress, filepath.Join(dir, "test"), os.Args[0]))
	listener.(*net.UnixListener).SetDeadline(time.Now().Add(time.Minute))
	connection, err := listener.Accept()
	if err != nil {
		t.Fatalf("the program in tmux does not start: %v", err)
	}
	t.Cleanup(func() { connection.Close() })
	connection.SetDeadline(time.Now().Add(2 * time.Minute))
	d.in, d.out = json.NewEncoder(connection), json.NewDecoder(connection)
	d.must("set-option", "status", "off")
	d.resize(columns, rows)
	return d
}

func (d *multiplexed) command(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-S", d.socket, "-f", os.DevNull}, args...)...)
	cmd.Env = append(os.Environ(), "TMUX=", "TERM=screen-256color", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (d *multiplexed) must(args ...string) string {
	d.t.Helper()
	out, err := d.command(args...)
	if err != nil {
		d.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return out
}

// call sends an order, nil to ask for the size only.
func (d *multiplexed) call(o *order) (size [2]int) {
	d.t.Helper()
	err := d.in.Encode(o)
	if err == nil {
		err = d.out.Decode(&size)
	}
	if err != nil {
		d.t.Fatalf("the program in tmux does not answer: %v", err)
	}
	return size
}

func (d *multiplexed) draw(stay, live []string) { d.call(&order{stay, live}) }

// resize returns when the program has been told of the size. What it has drawn
// before must have reached tmux, which handles both in turn.
func (d *multiplexed) resize(columns, rows int) {
	d.t.Helper()
	d.settle()
	d.must("resize-window", "-x", fmt.Sprint(columns), "-y", fmt.Sprint(rows))
	for deadline := time.Now().Add(time.Minute); d.call(nil) != [2]int{columns, rows}; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("the window does not get %d columns and %d rows", columns, rows)
		}
	}
}

// settle returns when the window does not change any more.
func (d *multiplexed) settle() string {
	d.t.Helper()
	before := ""
	for same := 0; same < 3; time.Sleep(10 * time.Millisecond) {
		now := d.must("capture-pane", "-p", "-J", "-S", "-")
		if now == before {
			same++
		} else {
			before, same = now, 0
		}
	}
	return before
}

func (d *multiplexed) capture() []string { return strings.Split(d.settle(), "\n") }

func TestScreenDrawsInPlaceInTmux(t *testing.T) {
	for name := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, name, newMultiplexed(t, 80, 24))
		})
	}
}
