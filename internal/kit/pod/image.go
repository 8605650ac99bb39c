package pod

import (
	"fmt"
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/bind"
	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/rewrite"
)

// Image is what a container whose image is not built from Go is run by.
type Image struct {
	Name          string // of the image, with its registry and tag
	Command, Args []string
	Env           map[string]string // of the manifests only
	WorkingDir    string            // in the container; "" means the image's
	User          string            // UID, UID:GID, or "" for the image's
	Mounts        []bind.Mount
}

// isImage reports whether the container is not built from Go.
func (d *draft) isImage() bool { return d.importPath == "" }

// image returns what the manifests say for a container engine, or, with
// addresses and paths of this machine, for a local program.
func (d *draft) image() *Image {
	i := &Image{
		Name: d.container.Image, Command: d.expand(d.container.Command), Args: d.expand(d.container.Args),
		Env: d.values, WorkingDir: d.container.WorkingDir, User: d.user(), Mounts: d.mounts,
	}
	if !d.local {
		return i
	}
	i.Command, i.Args, i.Env = d.rules.Args(i.Command), d.rules.Args(i.Args), map[string]string{}
	for _, s := range d.rules.Variables(rewrite.Variables(d.values)) {
		i.Env[s.Name] = s.Value
	}
	return i
}

func (d *draft) expand(words []string) []string {
	return environment.ExpandAll(words, d.source.Known(d.values))
}

// user returns the user of the container, as its securityContext or that of
// the pod says.
func (d *draft) user() string {
	var uid, gid *int64
	if pod := d.workload.Template.Spec.SecurityContext; pod != nil {
		uid, gid = pod.RunAsUser, pod.RunAsGroup
	}
	if own := d.container.SecurityContext; own != nil {
		uid, gid = orElse(own.RunAsUser, uid), orElse(own.RunAsGroup, gid)
	}
	switch {
	case uid == nil:
		return ""
	case gid == nil:
		return fmt.Sprint(*uid)
	}
	return fmt.Sprintf("%d:%d", *uid, *gid)
}

func orElse(own, general *int64) *int64 {
	if own == nil {
		return general
	}
	return own
}

// imageMounts returns the mounts of a container that has files of its own.
func (d *draft) imageMounts(places rewrite.Paths) []bind.Mount {
	var mounts []bind.Mount
	for _, place := range places {
		i := slices.IndexFunc(d.container.VolumeMounts, func(m corev1.VolumeMount) bool { return path.Clean("/"+m.MountPath) == place.Inside })
		m := d.container.VolumeMounts[i]
		mounts = append(mounts, bind.Mount{Inside: place.Inside, Here: place.Here, ReadOnly: m.ReadOnly, Source: d.sourceOf(m.Name)})
	}
	return mounts
}

// sourceOf tells what a volume of the pod is.
func (d *draft) sourceOf(name string) bind.Source {
	v := d.volumeOf(name)
	switch {
	case v == nil, v.PersistentVolumeClaim != nil, d.isShared(name):
		return bind.Volume
	case v.HostPath != nil:
		return bind.Host
	case v.ConfigMap != nil, v.Secret != nil, v.DownwardAPI != nil, v.Projected != nil:
		return bind.Files
	}
	return bind.Scratch
}

// volumeOf returns a volume of the pod, nil for a claim of a StatefulSet.
func (d *draft) volumeOf(name string) *corev1.Volume {
	for _, v := range d.workload.Template.Spec.Volumes {
		if v.Name == name {
			return &v
		}
	}
	return nil
}

// isShared reports whether several containers mount an emptyDir.
func (d *draft) isShared(name string) bool {
	n := 0
	for _, c := range d.workload.Containers() {
		if slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == name }) {
			n++
		}
	}
	v := d.volumeOf(name)
	return n > 1 && v != nil && v.EmptyDir != nil
}

// keeps reports whether the container writes to a claim, which outlives it: two
// programs cannot do that at a time.
func (d *draft) keeps() bool {
	return slices.ContainsFunc(d.container.VolumeMounts, func(m corev1.VolumeMount) bool {
		v := d.volumeOf(m.Name)
		return !m.ReadOnly && (v == nil || v.PersistentVolumeClaim != nil)
	})
}
