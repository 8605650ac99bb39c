// Package telepresence asks the program of that name, on this laptop, what it
// does, and has it intercept services. Verified with Telepresence 2.20.2 and 2.31.0,
// which differ in what they print.
package telepresence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// patience bounds a call: a daemon that hangs is one of the things to find out.
const patience = 20 * time.Second

// ErrNotFound says that the program is not installed.
var ErrNotFound = errors.New("telepresence is not on PATH")

// PersonalSince is the first version, of the program and of the traffic manager,
// whose intercepts can be of one person's requests only. Before, one laptop has
// all of a service's.
const PersonalSince = "2.25.0"

// Personal reports whether a version, such as 2.20.2, knows personal intercepts.
func Personal(version string) bool { return semver.Compare("v"+version, "v"+PersonalSince) >= 0 }

// Status is what there is of Telepresence on this laptop.
type Status struct {
	Running   bool   `json:"running"` // the daemon
	State     string `json:"status"`  // as in "Connected"
	Error     string `json:"error"`
	Version   string `json:"version"`
	Server    string `json:"kubernetes_server"`
	Context   string `json:"kubernetes_context"`
	Namespace string `json:"namespace"`
}

// Connected reports whether the cluster's names and addresses are led there.
func (s Status) Connected() bool { return s.State == "Connected" }

// Read asks for the status. It starts no daemon.
func Read(ctx context.Context) (Status, error) {
	out, err := call(ctx, "status", "--output=json")
	if err != nil {
		return Status{}, err
	}
	var status struct { // A daemon in a container is shown as one, others as two.
		One  Status `json:"daemon"`
		User Status `json:"user_daemon"`
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return Status{}, fmt.Errorf("telepresence status printed something unexpected: %w", err)
	}
	if status.One.Running {
		return status.One, nil
	}
	return status.User, nil
}

// Version returns the version of the program, as in 2.20.2.
func Version(ctx context.Context) (string, error) {
	out, err := call(ctx, "version")
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(string(out), "\n") // OSS Client : v2.20.2
	_, version, found := strings.Cut(first, ": v")
	if !found {
		return "", fmt.Errorf("telepresence version printed something unexpected: %q", first)
	}
	return strings.TrimSpace(version), nil
}

func call(ctx context.Context, args ...string) ([]byte, error) {
	return run(ctx, patience, nil, args...)
}

// run runs the program for as long as patience lasts. What it is given to hold, it
// holds until it ends.
func run(ctx context.Context, patience time.Duration, hold *os.File, args ...string) ([]byte, error) {
	path, err := exec.LookPath("telepresence")
	if err != nil {
		return nil, ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second // A daemon that it started may hold the pipes.
	ownSession(cmd)
	if hold != nil {
		cmd.ExtraFiles = []*os.File{hold}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", patience)
		}
		return nil, fmt.Errorf("telepresence %s: %w", strings.Join(args, " "), Reason(stderr.String(), err))
	}
	return stdout.Bytes(), nil
}

// Reason finds what went wrong in what the program prints when it fails, and
// leaves out what it says of warnings and logs. Where it says nothing, the reason
// is err.
func Reason(stderr string, err error) error {
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if _, reason, found := strings.Cut(line, ": error: "); found {
			return errors.New(reason)
		}
		if line != "" && !strings.HasPrefix(line, "Warning:") && !strings.Contains(line, "deprecated") && !strings.HasPrefix(line, "See logs") {
			err = errors.New(line)
		}
	}
	return err
}
