package workload

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// noteVolumes says which volumes cannot be what they are in a cluster.
func (r *reader) noteVolumes(w *Workload) {
	for _, v := range w.Template.Spec.Volumes {
		if !w.Mounts(v.Name) {
			continue
		}
		if why := absent(v.VolumeSource); why != "" {
			r.note(w, "volume %s of %s %s", v.Name, w, why)
		}
	}
}

// Mounts reports whether a container of w uses the volume.
func (w *Workload) Mounts(volume string) bool {
	return slices.ContainsFunc(w.Containers(), func(c corev1.Container) bool {
		return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume })
	})
}

// absent says why a volume is not what it is in a cluster, "" if it is.
func absent(source corev1.VolumeSource) string {
	known := source.EmptyDir != nil || source.Ephemeral != nil || source.PersistentVolumeClaim != nil || source.HostPath != nil ||
		source.ConfigMap != nil || source.Secret != nil || source.DownwardAPI != nil || source.Projected != nil || source == (corev1.VolumeSource{})
	if !known {
		return "is an empty directory here: ko up does not know its type"
	}
	if source.Projected != nil && slices.ContainsFunc(source.Projected.Sources, IsOfCluster) {
		return "is without its service account token and certificates: there is no cluster that takes them"
	}
	return ""
}

// rootCertificates is the ConfigMap that a cluster puts into every namespace.
const rootCertificates = "kube-root-ca.crt"

// IsOfCluster tells the projections that only a cluster has something for.
func IsOfCluster(p corev1.VolumeProjection) bool {
	return p.ServiceAccountToken != nil || p.ClusterTrustBundle != nil || p.PodCertificate != nil ||
		p.ConfigMap != nil && p.ConfigMap.Name == rootCertificates
}
