package workload

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// volumes lays out the volumes of a pod. Each is one directory, to which the
// paths of the containers lead.
type volumes struct {
	seat   *seat // of no particular container
	site   Site
	placed map[string]string // what the links below site.Root lead to
}

// volumesDir is below a pod's root.
const volumesDir = ".volumes"

// layOut makes the volumes that the containers mount, and returns their
// directories by name.
func (v *volumes) layOut() (map[string]string, error) {
	w := v.seat.workload
	dirs := map[string]string{}
	for _, claim := range w.claims {
		dir, err := v.claim(claim + "-" + w.Name + "-" + strconv.Itoa(v.site.Replica))
		if err != nil {
			return nil, fmt.Errorf("volume %s of %s: %w", claim, w, err)
		}
		dirs[claim] = dir
	}
	for _, volume := range w.Template.Spec.Volumes {
		if !w.mounts(volume.Name) {
			continue
		}
		dir, err := v.volume(volume)
		if err != nil {
			return nil, fmt.Errorf("volume %s of %s: %w", volume.Name, w, err)
		}
		dirs[volume.Name] = dir
	}
	return dirs, nil
}

func (v *volumes) volume(volume corev1.Volume) (string, error) {
	switch {
	case volume.PersistentVolumeClaim != nil:
		return v.claim(volume.PersistentVolumeClaim.ClaimName)
	case volume.HostPath != nil:
		return hostPath(volume.HostPath)
	}
	if !isElement(volume.Name) {
		return "", fmt.Errorf("%q is no name for a volume", volume.Name)
	}
	files, secret, err := v.files(volume.VolumeSource)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(v.site.Root, volumesDir, volume.Name)
	mode := fs.FileMode(0o755)
	if secret {
		mode = 0o700
	}
	return dir, write(dir, mode, files)
}

// claim returns the directory of a claim, which outlives the pod.
func (v *volumes) claim(name string) (string, error) {
	namespace := v.seat.workload.Namespace
	if !isElement(name) || !isElement(namespace) {
		return "", fmt.Errorf("%q in namespace %q is no name for a claim", name, namespace)
	}
	dir := filepath.Join(v.site.Claims, namespace, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the directory of claim %s: %w", name, err)
	}
	return dir, nil
}

// hostPath returns a path of this machine, if it is there.
func hostPath(source *corev1.HostPathVolumeSource) (string, error) {
	if _, err := os.Stat(source.Path); err != nil {
		return "", fmt.Errorf("hostPath %s is a node's: %w; create it here, or patch the volume to be an emptyDir", source.Path, err)
	}
	return source.Path, nil
}

// absent says why a volume is not what it is in a cluster, "" if it is.
func absent(source corev1.VolumeSource) string {
	known := source.EmptyDir != nil || source.Ephemeral != nil || source.PersistentVolumeClaim != nil || source.HostPath != nil ||
		source.ConfigMap != nil || source.Secret != nil || source.DownwardAPI != nil || source.Projected != nil || source == (corev1.VolumeSource{})
	if !known {
		return "is an empty directory here: ko up does not know its type"
	}
	if source.Projected != nil && slices.ContainsFunc(source.Projected.Sources, isOfCluster) {
		return "is without its service account token and certificates: there is no cluster that takes them"
	}
	return ""
}

// rootCertificates is the ConfigMap that a cluster puts into every namespace.
const rootCertificates = "kube-root-ca.crt"

// isOfCluster tells the projections that only a cluster has something for.
func isOfCluster(p corev1.VolumeProjection) bool {
	return p.ServiceAccountToken != nil || p.ClusterTrustBundle != nil || p.PodCertificate != nil ||
		p.ConfigMap != nil && p.ConfigMap.Name == rootCertificates
}

// isElement reports whether name is one element of a path.
func isElement(name string) bool {
	return filepath.IsLocal(name) && filepath.Base(name) == name && name != "."
}

// write writes files, which stay within dir.
func write(dir string, mode fs.FileMode, files []file) error {
	if err := os.MkdirAll(dir, mode); err != nil {
		return fmt.Errorf("making the volume: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening the volume: %w", err)
	}
	for _, f := range files {
		if err = f.write(root, mode); err != nil {
			break
		}
	}
	return errors.Join(err, root.Close())
}
