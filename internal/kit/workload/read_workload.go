package workload

import (
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/manifest"
)

// workload takes in an object with pods. It comes into the plan if it has a
// main container that is built from Go.
func (r *reader) workload(o manifest.Object, template corev1.PodTemplateSpec, replicas int, claims []corev1.PersistentVolumeClaim) *Workload {
	w := &Workload{
		Kind: o.Kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name,
		Replicas: replicas, Template: template, group: o.GroupKind().Group,
	}
	for _, claim := range claims {
		w.VolumeClaims = append(w.VolumeClaims, claim.Name)
	}
	switch {
	case !slices.ContainsFunc(template.Spec.Containers, isBuilt):
		r.notRun = append(r.notRun, w)
	case replicas == 0:
		r.note(nil, "%s is not run: it has 0 replicas", w)
	default:
		r.plan.Workloads = append(r.plan.Workloads, w)
		w.Template.Spec.InitContainers = r.built(w, template.Spec.InitContainers)
		w.Template.Spec.Containers = r.built(w, template.Spec.Containers)
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

// built returns the containers that are built from Go, and notes the others.
func (r *reader) built(w *Workload, containers []corev1.Container) []corev1.Container {
	var kept []corev1.Container
	for _, c := range containers {
		if isBuilt(c) {
			kept = append(kept, c)
			continue
		}
		r.note(w, "container %s of %s is not run: its image %s is not built from Go", c.Name, w, c.Image)
	}
	return kept
}

// noteNotRun says of workloads with other images what to do for those who
// need them.
func (r *reader) noteNotRun() {
	for _, w := range r.notRun {
		n := note{text: fmt.Sprintf("%s is not run: its image %s is not built from Go", w, images(w.Template.Spec.Containers))}
		for _, s := range r.plan.objects.services {
			if len(s.selected([]*Workload{w})) > 0 {
				n.services = append(n.services, manifest.Key{Namespace: s.Namespace, Name: s.Name})
			}
		}
		if len(n.services) > 0 {
			n.text += fmt.Sprintf("; if you have one, --service %s=HOST:PORT", n.services[0].Name)
		}
		r.plan.notes = append(r.plan.notes, n)
	}
}

func images(containers []corev1.Container) string {
	var list []string
	for _, c := range containers {
		list = append(list, c.Image)
	}
	return strings.Join(list, ", ")
}

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
