//go:build unix

package process

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
)

// guardScript reads lines, each with all process groups to watch, and kills
// those of the last line when no more can come: either the list is empty, or the
// process at the other end of the pipe has died. In the second case it then runs
// the commands of the lines "run COMMAND". A shell is smaller and sooner there
// than a second copy of ourselves.
const guardScript = `trap '' HUP INT TERM
groups= commands=
while read -r line; do
	case $line in
	run\ *) commands="$commands ${line#run };" ;;
	*) groups=$line ;;
	esac
done
[ -n "$groups" ] || exit 0
kill -s KILL -- $groups
eval "$commands"`

// guard is a child process that outlives us for as long as it takes to kill the
// process groups that we have left.
type guard struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

func newGuard() (*guard, error) {
	cmd := exec.Command("/bin/sh", "-c", guardScript)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &guard{cmd: cmd, pipe: pipe}, nil
}

// watch replaces the list of programs whose process groups must not be left.
func (g *guard) watch(running map[*exec.Cmd]struct{}) error {
	var line strings.Builder
	for cmd := range running {
		fmt.Fprintf(&line, "-%d ", cmd.Process.Pid)
	}
	_, err := io.WriteString(g.pipe, line.String()+"\n")
	return err
}

// afterKill adds a command to run when we have died and left programs.
func (g *guard) afterKill(command []string) error {
	line := "run"
	for _, word := range command {
		if strings.ContainsAny(word, "\n\x00") {
			return fmt.Errorf("%q is more than one line", word)
		}
		line += " '" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	_, err := io.WriteString(g.pipe, line+"\n")
	return err
}

// close ends the guard; the list must be empty.
func (g *guard) close() error {
	g.pipe.Close()
	return g.cmd.Wait()
}
