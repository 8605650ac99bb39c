package engine

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/process"
)

// Container is what to run.
type Container struct {
	Name          string // for people; the container's own name has it in it
	Hostname      string
	Image         string
	Command, Args []string // nil means the image's
	Env           map[string]string
	Dir           string // working directory; "" means the image's
	User          string // UID, UID:GID, or "" for the image's
	// Ports are the loopback ports by container port.
	Ports  map[int32]int
	Mounts []bind.Mount
	Grace  time.Duration // between being asked to end and being killed
	// Private is a directory that only we can read.
	Private string
}

// Running is how a container is run by the engine's command line.
type Running struct {
	// Command runs the container until it ends or is stopped.
	Command process.Command
	engine  *Engine
	name    string
}

// Container returns how a container is run. No value of a variable is on the
// command line, where all users of the machine can read it.
func (e *Engine) Container(c Container) (*Running, error) {
	r := &Running{engine: e, name: e.nameOf(c.Name)}
	args := []string{
		"run", "--rm", "--pull=missing", "--name=" + r.name, "--label=" + labelKey + "=" + e.label,
	}
	args = append(args, e.run...)
	for _, port := range slices.Sorted(maps.Keys(c.Ports)) {
		args = append(args, fmt.Sprintf("--publish=127.0.0.1:%d:%d", c.Ports[port], port))
	}
	for _, m := range c.Mounts {
		arg, err := argument(m)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	variables, env, err := c.variables()
	if err != nil {
		return nil, err
	}
	args = append(args, variables...)
	for _, option := range [][2]string{{"--hostname=", c.Hostname}, {"--workdir=", c.Dir}, {"--user=", c.User}} {
		if option[1] != "" {
			args = append(args, option[0]+option[1])
		}
	}
	words := c.Args
	if len(c.Command) > 0 {
		args = append(args, "--entrypoint="+c.Command[0])
		words = slices.Concat(c.Command[1:], c.Args)
	}
	args = append(append(args, c.Image), words...)
	r.Command = process.Command{Path: e.path, Args: args, Env: env, Terminate: func(p *os.Process) { r.stop(p, c.Grace) }}
	return r, nil
}

// Exec returns how a command is run in the container.
func (r *Running) Exec(ctx context.Context, command []string) *exec.Cmd {
	return exec.CommandContext(ctx, r.engine.path, append([]string{"exec", r.name}, command...)...)
}

// stop asks the container to end as its image says, and kills it after grace. If
// there is none yet, as while its image is pulled, it ends the command line.
func (r *Running) stop(commandLine *os.Process, grace time.Duration) {
	seconds := strconv.Itoa(int(grace.Round(time.Second).Seconds()))
	ctx, cancel := context.WithTimeout(context.Background(), grace+answerTimeout)
	defer cancel()
	if exec.CommandContext(ctx, r.engine.path, "stop", "-t", seconds, r.name).Run() != nil {
		commandLine.Signal(os.Interrupt)
	}
}

// unfit matches what no container's name may have.
var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

func (e *Engine) nameOf(name string) string {
	return fmt.Sprintf("ko-up-%d-%s-%d", os.Getpid(), unfit.ReplaceAllString(name, "-"), e.serial.Add(1))
}

// argument returns a mount as an argument of run. The engine itself makes what
// only the container sees, and removes it with the container.
func argument(m bind.Mount) (string, error) {
	if m.Source == bind.Scratch {
		return "--volume=" + m.Inside, nil
	}
	if err := open(m); err != nil {
		return "", fmt.Errorf("letting the container use %s: %w", m.Here, err)
	}
	fields := []string{"type=bind", "source=" + m.Here, "target=" + m.Inside}
	if m.ReadOnly {
		fields = append(fields, "readonly")
	}
	var quoted bytes.Buffer
	writer := csv.NewWriter(&quoted)
	if err := writer.Write(fields); err != nil {
		return "", fmt.Errorf("mounting %s: %w", m.Here, err)
	}
	writer.Flush()
	return "--mount=" + strings.TrimSpace(quoted.String()), nil
}
