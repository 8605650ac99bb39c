package pod

import (
	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/workload"
)

// replica is what all parts of a pod are worked out from.
type replica struct {
	workload *workload.Workload
	site     Site
	services workload.Names
	source   environment.Source
}

func newReplica(plan *workload.Plan, w *workload.Workload, site Site) *replica {
	r := &replica{workload: w, site: site, source: plan.Source(w, site.Replica)}
	r.services = workload.Names{Plan: plan, Namespace: w.Namespace, Redirect: site.Redirect, Address: site.Address}
	r.source.Links = r.services.Links(w)
	return r
}
