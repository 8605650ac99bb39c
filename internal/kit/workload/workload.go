package workload

import (
	"strconv"
	"strings"

	"github.com/google/ko/pkg/build"
	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/koshop/koshop/internal/kit/listen"
	"github.com/koshop/koshop/internal/kit/manifest"
)

// Workload is an object whose pods are run: a Deployment, ReplicaSet, StatefulSet,
// DaemonSet, Pod, Job or Knative Service.
type Workload struct {
	Kind, Namespace, Name string
	// Replicas is how many pods run at a time: 1 for a DaemonSet, Pod or Job, and
	// where a second pod could not listen on a fixed port.
	Replicas int
	// Template is the pod without the containers that cannot be run here.
	Template corev1.PodTemplateSpec
	// Completions is how many pods of a Job must succeed, one after the other;
	// BackoffLimit is how many may fail. Both are 0 for other kinds.
	Completions, BackoffLimit int
	// Exclusive tells that in a cluster a pod is gone before the next one of its
	// replica starts: one of a StatefulSet, or of a Deployment whose strategy is
	// Recreate.
	Exclusive bool

	// UsesCluster tells that the manifests give its ServiceAccount rights: its
	// programs talk to a cluster.
	UsesCluster bool
	// VolumeClaims are the names of a StatefulSet's volumeClaimTemplates.
	VolumeClaims []string

	group       string // API group of Kind: "apps"
	order       int    // in the manifests
	listening   []listen.Ports
	mentions    map[string]bool // see [Workload.Mentions]
	fingerprint string
}

// String names the workload as kubectl prints it: deployment.apps/user-svc.
func (w *Workload) String() string {
	return manifest.Reference(schema.GroupKind{Group: w.group, Kind: w.Kind}, w.Name)
}

// ID tells workloads apart.
func (w *Workload) ID() string { return w.Namespace + "/" + w.String() }

// ImportPaths returns the import paths of the programs that are built from Go,
// without ko://, those of init containers first, in their order.
func (w *Workload) ImportPaths() []string {
	var paths []string
	for _, c := range w.Containers() {
		if isBuilt(c) {
			paths = append(paths, ImportPath(c.Image))
		}
	}
	return paths
}

// Fingerprint is equal for workloads that run alike: same specification, same
// ConfigMaps and Secrets, same Services referred to.
func (w *Workload) Fingerprint() string { return w.fingerprint }

// Listening returns the ports that each of the Containers listens on.
func (w *Workload) Listening() []listen.Ports { return w.listening }

// Containers returns all of them, init containers first.
func (w *Workload) Containers() []corev1.Container {
	spec := w.Template.Spec
	return append(spec.InitContainers[:len(spec.InitContainers):len(spec.InitContainers)], spec.Containers...)
}

// ImportPath returns what a ko:// image is built from, "" for other images.
func ImportPath(image string) string {
	path, isKo := strings.CutPrefix(strings.TrimSpace(image), build.StrictScheme)
	if !isKo {
		return ""
	}
	return path
}

// IsSidecar tells the init containers that run as long as the pod does.
func IsSidecar(c corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// PodMeta returns the metadata of one of w's pods, which are counted from 0. Its name and UID are the same
// every time.
func (w *Workload) PodMeta(replica int) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{
		Name: w.Name, Namespace: w.Namespace,
		Labels: w.Template.Labels, Annotations: w.Template.Annotations,
	}
	if w.Kind != "Pod" {
		meta.Name += "-" + strconv.Itoa(replica)
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(w.String()+"/"+w.Namespace+"/"+meta.Name))
	meta.UID = types.UID(id.String())
	return meta
}

// role returns when the container with an index of Containers runs.
func (w *Workload) role(i int) listen.Role {
	switch {
	case i >= len(w.Template.Spec.InitContainers):
		return listen.Main
	case IsSidecar(w.Template.Spec.InitContainers[i]):
		return listen.Sidecar
	}
	return listen.Init
}
