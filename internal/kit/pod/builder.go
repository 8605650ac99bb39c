package pod

import (
	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/rewrite"
	"github.com/koshop/koshop/internal/kit/workload"
)

// builder works out the containers of a pod together: they share volumes and a
// network.
type builder struct {
	plan     *workload.Plan
	workload *workload.Workload
	site     Site
	services workload.Names
	source   environment.Source
	drafts   []*draft
	layout   layout
}

// kodata is where an image has the kodata directory of its program.
const kodata = "/var/run/ko"

// read makes the drafts of the containers, ready to be finished.
func (b *builder) read() error {
	w := b.workload
	b.services = workload.Names{Plan: b.plan, Namespace: w.Namespace, Redirect: b.site.Redirect, Address: b.site.Address}
	b.source = b.plan.Source(w, b.site.Replica)
	b.source.Links = b.services.Links(w)
	volumes := &volumes{workload: w, site: b.site, source: &b.source, layout: &b.layout, dirs: map[string]string{}, linked: map[string]string{}}
	if err := volumes.plan(); err != nil {
		return err
	}
	for _, c := range w.Containers() {
		d := &draft{builder: b, container: c}
		if err := d.read(); err != nil {
			return err
		}
		var err error
		if d.paths, err = volumes.mount(c, b.source.Known(d.values)); err != nil {
			return err
		}
		if d.isImage() {
			d.mounts = d.imageMounts(d.paths)
		}
		if d.data != "" {
			d.paths = rewrite.NewPaths(append(d.paths, rewrite.Place{Inside: kodata, Here: d.data}))
		}
		b.drafts = append(b.drafts, d)
	}
	return b.connect()
}
