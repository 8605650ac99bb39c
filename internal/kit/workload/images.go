package workload

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Images says what is known of images that are not built from Go.
type Images struct {
	// Run returns nil if a container can be run here, or else why not, in one line.
	Run func(c corev1.Container) error
	// Port returns the port on which an image's program listens by default, 0 if
	// that is not known.
	Port func(image string) int32
	// Elsewhere has the Services that are led elsewhere, as NAME or
	// NAME.NAMESPACE: what is behind them is not run.
	Elsewhere map[string]string
}

// IsBuilt reports whether a main container of w is built from Go.
func (w *Workload) IsBuilt() bool { return slices.ContainsFunc(w.Template.Spec.Containers, isBuilt) }

// decide takes the workloads that have no program built from Go, and that can be
// run nevertheless, into the plan, and says of the others why they are left out.
func (r *reader) decide() {
	for _, w := range r.others {
		if r.isElsewhere(w) {
			continue
		}
		if err := r.canRun(w); err != nil {
			r.noteNotRun(w, err)
			continue
		}
		r.plan.Workloads = append(r.plan.Workloads, w)
		r.takeIn(w)
	}
	slices.SortStableFunc(r.plan.Workloads, func(a, b *Workload) int { return cmp.Compare(a.order, b.order) })
}

// errNotBuilt is the reason for leaving out an image where nothing else is known.
var errNotBuilt = errors.New("")

// canRun reports why the first of w's main containers cannot be run.
func (r *reader) canRun(w *Workload) error {
	switch {
	case r.images.Run == nil:
		return errNotBuilt
	case w.Kind == "Job":
		return errors.New("a Job in a container could not reach the programs here")
	}
	return r.images.Run(w.Template.Spec.Containers[0])
}

// takeIn keeps what can be run of w. Several replicas would be as many
// databases, which know nothing of each other.
func (r *reader) takeIn(w *Workload) {
	if w.Replicas > 1 {
		r.note(w, "%s runs one of its %d replicas: each would have data of its own", w, w.Replicas)
		w.Replicas = 1
	}
	inits := slices.DeleteFunc(slices.Clone(w.Template.Spec.InitContainers), func(c corev1.Container) bool {
		if !isBuilt(c) || IsSidecar(c) || !w.mountsToken(c) {
			return false
		}
		r.note(w, "init container %s of %s is not run: it uses a service account token, and there is no cluster that takes one", c.Name, w)
		return true
	})
	w.Template.Spec.InitContainers = r.runnable(w, inits, true)
	w.Template.Spec.Containers = r.runnable(w, w.Template.Spec.Containers, false)
	r.noteVolumes(w)
}

// runnable returns the containers that can be run, and notes the others. An
// init container that is not built from Go is never run: it could change what
// the programs of this machine expect, and not reach them.
func (r *reader) runnable(w *Workload, containers []corev1.Container, init bool) []corev1.Container {
	var kept []corev1.Container
	for _, c := range containers {
		if isBuilt(c) {
			kept = append(kept, c)
			continue
		}
		err := errNotBuilt
		if r.images.Run != nil && w.Kind != "Job" && (!init || IsSidecar(c)) {
			err = r.images.Run(c)
		}
		if err != nil {
			r.note(w, "container %s of %s is not run: its image %s is not built from Go%s", c.Name, w, c.Image, because(err))
			continue
		}
		kept = append(kept, r.listening(c))
	}
	return kept
}

func because(err error) string {
	if errors.Is(err, errNotBuilt) {
		return ""
	}
	return fmt.Sprintf(" (%v)", err)
}

// listening adds the port on which the image's program listens to a container
// that declares none.
func (r *reader) listening(c corev1.Container) corev1.Container {
	if r.images.Port == nil || len(c.Ports) > 0 {
		return c
	}
	if port := r.images.Port(c.Image); port != 0 {
		c.Ports = []corev1.ContainerPort{{ContainerPort: port}}
	}
	return c
}

// isElsewhere reports whether a Service of w is led elsewhere.
func (r *reader) isElsewhere(w *Workload) bool {
	return slices.ContainsFunc(r.plan.objects.services, func(s *Service) bool {
		_, bare := r.images.Elsewhere[s.Name]
		_, qualified := r.images.Elsewhere[s.Name+"."+s.Namespace]
		return (bare || qualified) && len(s.selected([]*Workload{w})) > 0
	})
}

// mountsToken reports whether a container mounts a service account's token.
func (w *Workload) mountsToken(c corev1.Container) bool {
	return slices.ContainsFunc(w.Template.Spec.Volumes, func(v corev1.Volume) bool {
		return v.Projected != nil &&
			slices.ContainsFunc(v.Projected.Sources, func(p corev1.VolumeProjection) bool { return p.ServiceAccountToken != nil }) &&
			slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == v.Name })
	})
}

// noteNotRun says of a workload with other images what to do for those who
// need it.
func (r *reader) noteNotRun(w *Workload, err error) {
	text := fmt.Sprintf("%s is not run: its image %s is not built from Go%s", w, images(w.Template.Spec.Containers), because(err))
	for _, s := range r.plan.objects.services {
		if len(s.selected([]*Workload{w})) > 0 {
			text += fmt.Sprintf("; if you have one, --service %s=HOST:PORT", s.Name)
			break
		}
	}
	r.note(nil, "%s", text)
}

func images(containers []corev1.Container) string {
	var list []string
	for _, c := range containers {
		list = append(list, c.Image)
	}
	return strings.Join(list, ", ")
}
