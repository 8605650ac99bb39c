package workload

import (
	"errors"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// workload takes in an object with pods. It comes into the plan if it has a
// main container that is built from Go.
func (r *reader) workload(o manifest.Object, template corev1.PodTemplateSpec, replicas int, claims []corev1.PersistentVolumeClaim) *Workload {
	w := &Workload{
		Kind: o.Kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name,
		Replicas: replicas, Template: template, group: o.GroupKind().Group, order: r.count,
	}
	r.count++
	for _, claim := range claims {
		w.VolumeClaims = append(w.VolumeClaims, claim.Name)
	}
	switch {
	case len(template.Spec.Containers) == 0:
		r.err = errors.Join(r.err, fmt.Errorf("%s: it has no containers", w))
	case replicas == 0 && (w.IsBuilt() || r.images.Run != nil):
		r.note(nil, "%s is not run: it has 0 replicas", w)
	case !w.IsBuilt():
		r.others = append(r.others, w)
	default:
		r.plan.Workloads = append(r.plan.Workloads, w)
		w.Template.Spec.InitContainers = r.runnable(w, template.Spec.InitContainers, true)
		w.Template.Spec.Containers = r.runnable(w, template.Spec.Containers, false)
		r.noteVolumes(w)
	}
	return w
}

// defaultBackoffLimit is how often Kubernetes tries a Job again that does not
// say.
const defaultBackoffLimit = 6

func (r *reader) job(o manifest.Object, j *batchv1.Job) {
	if j.Spec.Suspend != nil && *j.Spec.Suspend {
		r.note(nil, "%s is not run: it is suspended", o)
		return
	}
	w := r.workload(o, j.Spec.Template, 1, nil)
	w.Completions, w.BackoffLimit = count(j.Spec.Completions), defaultBackoffLimit
	if j.Spec.BackoffLimit != nil {
		w.BackoffLimit = int(*j.Spec.BackoffLimit)
	}
}

func isBuilt(c corev1.Container) bool { return ImportPath(c.Image) != "" }

// noteUnled says which Services lead to nothing in the manifests.
func (r *reader) noteUnled() {
	for _, s := range r.plan.objects.services {
		text := ""
		switch {
		case s.external != "":
			text = fmt.Sprintf("%s leads to %s, outside the kustomization; if you can reach it, --service %s=HOST:PORT", s, s.external, s.Name)
		case len(s.selector) == 0:
			text = fmt.Sprintf("%s selects no pods; if you have what it leads to, --service %s=HOST:PORT", s, s.Name)
		default:
			continue
		}
		r.plan.notes = append(r.plan.notes, note{text: text, services: []manifest.Key{{Namespace: s.Namespace, Name: s.Name}}})
	}
}
