package pod

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

// defaultGrace is how long Kubernetes lets a pod end that does not say.
const defaultGrace = 30 * time.Second

// New works out the processes of a replica of w. It fails if the manifests ask
// for something that cannot be had here.
func New(plan *workload.Plan, w *workload.Workload, site Site) (*Pod, error) {
	var err error
	if site.Root, err = filepath.Abs(site.Root); err != nil {
		return nil, fmt.Errorf("%s: finding its directory: %w", w, err)
	}
	if site.Claims, err = filepath.Abs(site.Claims); err != nil {
		return nil, fmt.Errorf("%s: finding the directory of its claims: %w", w, err)
	}
	b := &builder{replica: newReplica(plan, w, site)}
	if err := b.read(); err != nil {
		return nil, err
	}
	pod := &Pod{Name: w.PodMeta(site.Replica).Name, Grace: defaultGrace}
	if seconds := w.Template.Spec.TerminationGracePeriodSeconds; seconds != nil {
		pod.Grace = time.Duration(*seconds) * time.Second
	}
	for i, draft := range b.drafts {
		c, err := draft.finish()
		if err != nil {
			return nil, err
		}
		about := fmt.Sprintf("%s: making the working directory of container %s", w, c.Name)
		b.layout.dirs = append(b.layout.dirs, workingDir{about, c.Dir})
		pod.Fixed = pod.Fixed || draft.fixed
		if i < len(w.Template.Spec.InitContainers) && !c.Sidecar {
			pod.Init = append(pod.Init, c)
		} else {
			pod.Containers = append(pod.Containers, c)
		}
	}
	pod.layout = b.layout
	return pod, nil
}

// builder works out the containers of a pod together: they share volumes and a
// network.
type builder struct {
	*replica
	drafts []*draft
	layout layout
}

// kodata is where an image has the kodata directory of its program.
const kodata = "/var/run/ko"

// read makes the drafts of the containers, ready to be finished.
func (b *builder) read() error {
	volumes := &volumes{replica: b.replica, layout: &b.layout, dirs: map[string]string{}, linked: map[string]string{}}
	if err := volumes.plan(); err != nil {
		return err
	}
	for _, c := range b.workload.Containers() {
		d := &draft{replica: b.replica, container: c}
		if err := d.read(); err != nil {
			return err
		}
		var err error
		if d.paths, err = volumes.mount(c, b.source.Known(d.values)); err != nil {
			return err
		}
		if d.data != "" {
			d.paths = rewrite.NewPaths(append(d.paths, rewrite.Place{Inside: kodata, Here: d.data}))
		}
		b.drafts = append(b.drafts, d)
	}
	return connect(b.drafts)
}
