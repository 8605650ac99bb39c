package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/route"
	"github.com/koshop/koshop/internal/kit/up/board"
	"github.com/koshop/koshop/internal/kit/up/builds"
	"github.com/koshop/koshop/internal/kit/up/routes"
	"github.com/koshop/koshop/internal/kit/up/state"
	"github.com/koshop/koshop/internal/kit/workload"
)

// Machine is what all replicas of a run have in common.
type Machine struct {
	State  *state.Dir
	Group  *process.Group
	Finder *backing.Finder
	Routes *routes.Routes
	Jobs   *Gate
	ports  *ports
}

// NewMachine returns a machine on which nothing runs yet.
func NewMachine(s *state.Dir, group *process.Group, finder *backing.Finder, r *routes.Routes) *Machine {
	return &Machine{State: s, Group: group, Finder: finder, Routes: r, Jobs: NewGate(), ports: newPorts()}
}

// host is what an instance of a slot finds on this machine.
type host struct {
	*Machine
	id     routes.Replica
	row    *board.Row
	output func(container string) io.Writer
}

// awaitJobs returns when the Jobs have had their turn. Jobs do not wait, nor do
// databases and the like, on which Jobs work.
func (h *host) awaitJobs(ctx context.Context, v *Version) error {
	if v.Workload.Kind == "Job" || !v.Workload.IsBuilt() {
		return nil
	}
	select {
	case <-h.Jobs.open():
		return nil
	default:
	}
	h.row.Waits(errors.New("the Jobs go first"))
	select {
	case <-h.Jobs.open():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// directory makes the directory of an instance.
func (h *host) directory(w *workload.Workload) (string, error) {
	return h.State.NewPod(fmt.Sprintf("%s.%s-%d-", w.Namespace, w.Name, h.id.Number))
}

// site says where the pod of a version finds what. Executables get names of its
// own: builds remove theirs when there are newer ones, but a probe may still run one.
func (h *host) site(dir string, v *Version) (pod.Site, error) {
	if err := v.checkData(); err != nil {
		return pod.Site{}, &setupError{err}
	}
	site := pod.Site{
		Root:     filepath.Join(dir, "root"),
		Claims:   h.State.Claims(),
		Replica:  h.id.Number,
		Binary:   func(importPath string) string { return filepath.Join(dir, builds.FileName(importPath)) },
		DataPath: v.data,
		Local:    h.isLocal,
		FreePort: route.FreePort,
		Address:  h.Routes.Address,
		Redirect: v.Services,
	}
	if err := os.Mkdir(site.Root, 0o755); err != nil {
		return site, fmt.Errorf("making the root directory of a pod: %w", err)
	}
	for importPath, executable := range v.Executables {
		if err := builds.Link(executable, site.Binary(importPath)); err != nil {
			return site, err
		}
	}
	return site, nil
}
