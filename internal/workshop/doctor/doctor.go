// Package doctor looks at a laptop before the day of the workshop: what is
// missing, too old, taken or in the way. What only some chapters need is a warning
// that names them.
package doctor

import (
	"context"
	"os/exec"
	"strings"
	"sync"

	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// Laptop is what a doctor looks at.
type Laptop struct {
	// Connect connects to the cluster. It is called once.
	Connect func() (*cluster.Shop, error)
	// Repository is KO_DOCKER_REPO.
	Repository string
	// Ports are those that the workshop's programs listen on, and which do.
	Ports []Port
	// Lookup finds the addresses of a host name, as every program here does.
	Lookup func(ctx context.Context, host string) ([]string, error)
}

// Sections returns what there is to look at.
func (l Laptop) Sections() []report.Section {
	l.Connect = sync.OnceValues(l.Connect)
	return []report.Section{
		{Name: "tools", Title: "what the workshop is done with", Steps: tools()},
		{Name: "offline", Title: "what is better fetched and compiled before the day", Steps: l.offline()},
		{Name: "cluster", Title: "where the shop is to run", Steps: l.cluster()},
		{Name: "network", Title: "what this laptop makes of names and ports", Steps: l.network()},
	}
}

// run returns what a program prints, or why it failed.
func run(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok && len(exit.Stderr) > 0 {
		err = failure(strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

// failure is what a failed program says.
type failure string

// Error is the end of it: what comes last is why it gave up.
func (f failure) Error() string {
	lines := strings.Split(string(f), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "\n")
}
