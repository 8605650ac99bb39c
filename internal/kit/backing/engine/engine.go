// Package engine runs containers by a container engine of this machine: docker,
// podman or nerdctl. Their ports are on loopback only, and they are removed when
// the run that started them is over, however it ends.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// Engine is a container engine that answers.
type Engine struct {
	kind
	path   string
	label  string // what tells the containers of this run
	serial atomic.Int64
}

// kind is what one engine's command line has of its own.
type kind struct {
	name string
	// info asks whether the engine works, not only its command line.
	info []string
	// endpoint asks where it is; nil if only the variable host says so.
	endpoint []string
	host     string
	// run are further arguments for a container.
	run []string
}

// kinds are in the order in which they are asked. Without label=disable, a
// machine with SELinux keeps containers from files that have no label for them.
var kinds = []kind{
	{
		name: "docker", info: []string{"info", "--format", "{{.ServerVersion}}"}, host: "DOCKER_HOST",
		endpoint: []string{"context", "inspect", "--format", "{{.Endpoints.docker.Host}}"}, run: []string{"--security-opt=label=disable"},
	},
	{
		name: "podman", info: []string{"info", "--format", "{{.Version.Version}}"}, host: "CONTAINER_HOST",
		run: []string{"--security-opt=label=disable"},
	},
	{name: "nerdctl", info: []string{"info", "--format", "{{.ServerVersion}}"}, host: "CONTAINERD_ADDRESS"},
}

// answerTimeout bounds how long an engine may take to say that it is there.
const answerTimeout = 5 * time.Second

// Find returns the first engine on PATH that answers and is on this machine.
// Its error says of each what is missing.
func Find(ctx context.Context) (*Engine, error) {
	var missing []string
	for _, k := range kinds {
		path, err := exec.LookPath(k.name)
		if err != nil {
			continue
		}
		if err := k.answers(ctx, path); err != nil {
			missing = append(missing, fmt.Sprintf("%s: %v", k.name, err))
			continue
		}
		return &Engine{kind: k, path: path, label: ownLabel()}, nil
	}
	if missing == nil {
		return nil, errors.New("docker, podman and nerdctl are not installed")
	}
	return nil, errors.New(strings.Join(missing, "; "))
}

// String returns the engine's name.
func (e *Engine) String() string { return e.name }

func (k kind) answers(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if _, err := ask(ctx, path, k.info...); err != nil {
		return err
	}
	endpoint := os.Getenv(k.host)
	if endpoint == "" && k.endpoint != nil {
		endpoint, _ = ask(ctx, path, k.endpoint...) // An old version has no contexts.
	}
	if u, err := url.Parse(endpoint); err == nil && !isHere(u.Hostname()) {
		return fmt.Errorf("it runs on another machine (%s)", u.Host)
	}
	return nil
}

func isHere(host string) bool {
	switch host {
	case "", "localhost", "127.0.0.1", "::1":
		return true
	}
	return false
}

// ask runs an engine's command line and returns what it prints.
func ask(ctx context.Context, path string, args ...string) (string, error) {
	var complaint strings.Builder
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = &complaint
	cmd.WaitDelay = time.Second
	said, err := cmd.Output()
	switch {
	case err == nil:
		return strings.TrimSpace(string(said)), nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("no answer within %v", answerTimeout)
	case complaint.Len() > 0:
		return "", errors.New(lastLine(complaint.String()))
	}
	return "", err
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "Error: ")
}
