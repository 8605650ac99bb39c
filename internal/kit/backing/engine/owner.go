package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// labelKey labels containers with the run that has started them: the host, the
// process and when it began.
const labelKey = "koshop.ko-up"

func ownLabel() string {
	host, _ := os.Hostname() // Without one, there is one machine.
	began, _ := began(os.Getpid())
	return strings.Join([]string{host, strconv.Itoa(os.Getpid()), began}, "/")
}

// isOver reports whether the run that a label tells was on this machine and has
// ended. A process of the same number that began at another time is another.
func isOver(label string) bool {
	host, rest, _ := strings.Cut(label, "/")
	id, start, found := strings.Cut(rest, "/")
	pid, err := strconv.Atoi(id)
	if own, _ := os.Hostname(); !found || err != nil || host != own {
		return false
	}
	now, alive := began(pid)
	return !alive || now != start
}

// began returns when a process began, in words that are the same for each call,
// or false if there is no such process.
func began(pid int) (string, bool) {
	switch runtime.GOOS {
	case "linux":
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			return "", false
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // The name before may hold anything.
		fields := strings.Fields(rest)
		const state, starttime = 0, 19
		if len(fields) <= starttime || fields[state] == "Z" {
			return "", false
		}
		return fields[starttime], true
	case "windows":
		_, err := os.FindProcess(pid)
		return "", err == nil
	}
	ps := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid))
	ps.Env = []string{"LC_ALL=C", "TZ=UTC"}
	said, err := ps.Output()
	when := strings.Join(strings.Fields(string(said)), "-")
	return when, err == nil && when != ""
}

// Sweep removes the containers that runs have left which did not end by
// themselves.
func (e *Engine) Sweep(ctx context.Context) error {
	ids, err := e.list(ctx, labelKey)
	if err != nil {
		return err
	}
	var left []string
	for _, id := range ids {
		label, err := ask(ctx, e.path, "inspect", "--format", `{{index .Config.Labels "`+labelKey+`"}}`, id)
		if err == nil && isOver(label) { // Otherwise it is gone meanwhile.
			left = append(left, id)
		}
	}
	return e.remove(ctx, left)
}

// removeTimeout bounds how long an engine may take to remove containers: it lets
// them end by themselves first.
const removeTimeout = 30 * time.Second

// Close removes the containers of this run that are left.
func (e *Engine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	ids, err := e.list(ctx, labelKey+"="+e.label)
	return errors.Join(err, e.remove(ctx, ids))
}

func (e *Engine) list(ctx context.Context, label string) ([]string, error) {
	ids, err := ask(ctx, e.path, "ps", "--all", "--quiet", "--filter=label="+label)
	return strings.Fields(ids), err
}

// remove fails if one of the containers is still there.
func (e *Engine) remove(ctx context.Context, ids []string) error {
	var failures []error
	for _, id := range ids {
		_, err := ask(ctx, e.path, "rm", "--force", "--volumes", id)
		if err == nil {
			continue
		}
		if _, gone := ask(ctx, e.path, "inspect", id); gone == nil {
			failures = append(failures, fmt.Errorf("removing container %s: %w", id, err))
		}
	}
	return errors.Join(failures...)
}

// RemoveLeft returns a command that removes the containers of this run, for when
// it was killed.
func (e *Engine) RemoveLeft() []string {
	return []string{
		"/bin/sh", "-c", `ids=$("$0" ps --all --quiet --filter="label=$1"); [ -z "$ids" ] || "$0" rm --force --volumes $ids`,
		e.path, labelKey + "=" + e.label,
	}
}
