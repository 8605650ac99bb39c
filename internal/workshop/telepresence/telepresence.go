// Package telepresence asks the program of that name, on this laptop, what it
// does. Verified with Telepresence 2.20.2.
package telepresence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// patience bounds a call: a daemon that hangs is one of the things to find out.
const patience = 20 * time.Second

// ErrNotFound says that the program is not installed.
var ErrNotFound = errors.New("telepresence is not on PATH")

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

// Intercept leads the requests of a service to this laptop.
type Intercept struct {
	Name      string `json:"name"`
	Client    string `json:"client"` // user@host
	Namespace string `json:"namespace"`
	Service   string `json:"service_name"`
	Host      string `json:"target_host"`
	Port      int    `json:"target_port"`
	Active    bool   `json:"-"`
}

// Target is the address on this laptop that the requests are led to.
func (i Intercept) Target() string { return fmt.Sprintf("%s:%d", i.Host, i.Port) }

// active is manager.InterceptDispositionType_ACTIVE.
const active = 1

// Intercepts lists those of this laptop. It must be connected, or Telepresence
// would connect it.
func Intercepts(ctx context.Context) ([]Intercept, error) {
	out, err := call(ctx, "list", "--intercepts", "--output=json")
	if err != nil {
		return nil, err
	}
	var list struct {
		Workloads []struct {
			Intercepts []struct {
				Spec        Intercept `json:"spec"`
				Disposition int       `json:"disposition"`
			} `json:"intercept_infos"`
		} `json:"stdout"`
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, fmt.Errorf("telepresence list printed something unexpected: %w", err)
	}
	var all []Intercept
	for _, workload := range list.Workloads {
		for _, found := range workload.Intercepts {
			found.Spec.Active = found.Disposition == active
			all = append(all, found.Spec)
		}
	}
	return all, nil
}

// Leave ends an intercept of this laptop.
func Leave(ctx context.Context, name string) error {
	_, err := call(ctx, "leave", name)
	return err
}

func call(ctx context.Context, args ...string) ([]byte, error) {
	path, err := exec.LookPath("telepresence")
	if err != nil {
		return nil, ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second // A daemon that it started may hold the pipes.
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer within %s", patience)
		}
		return nil, fmt.Errorf("telepresence %s: %w %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}
