package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/koshop/koshop/internal/kit/backing"
	"github.com/koshop/koshop/internal/kit/pod"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/workload"
)

// host is what an instance of a slot finds on this machine.
type host struct {
	id     slotID
	state  *state
	group  *process.Group
	finder *backing.Finder
	routes *routes
	jobs   *gate
	ports  *ports
	row    *row
	opts   Options
	output func(container string) io.Writer
}

// awaitJobs returns when the Jobs have had their turn. Jobs do not wait, nor do
// databases and the like, on which Jobs work.
func (h *host) awaitJobs(ctx context.Context, v *version) error {
	if v.workload.Kind == "Job" || !v.workload.IsBuilt() {
		return nil
	}
	select {
	case <-h.jobs.open():
		return nil
	default:
	}
	h.row.waits(errors.New("the Jobs go first"))
	select {
	case <-h.jobs.open():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// directory makes the directory of an instance.
func (h *host) directory(w *workload.Workload) (string, error) {
	return h.state.pod(fmt.Sprintf("%s.%s-%d-", w.Namespace, w.Name, h.id.replica))
}

// site says where the pod of a version finds what. Executables get names of its
// own: builds remove theirs when there are newer ones, but a probe may still run one.
func (h *host) site(dir string, v *version) (pod.Site, error) {
	if err := v.checkData(); err != nil {
		return pod.Site{}, &setupError{err}
	}
	site := pod.Site{
		Root:     filepath.Join(dir, "root"),
		Claims:   h.state.claims(),
		Replica:  h.id.replica,
		Binary:   func(importPath string) string { return filepath.Join(dir, fileName(importPath)+exe) },
		DataPath: v.data,
		Local:    h.isLocal,
		FreePort: freePort,
		Address:  h.routes.address,
		Redirect: v.services,
	}
	if err := os.Mkdir(site.Root, 0o755); err != nil {
		return site, fmt.Errorf("making the root directory of a pod: %w", err)
	}
	for importPath, executable := range v.executables {
		if err := link(executable, site.Binary(importPath)); err != nil {
			return site, err
		}
	}
	return site, nil
}

// freePort returns a loopback port that nothing listens on. Another program may
// take it before ours does; then ours ends and is started again with another.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", loopback(0))
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
