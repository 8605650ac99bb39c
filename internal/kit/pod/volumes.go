package pod

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// volumes plans the volumes of a pod. Each is one directory, to which the paths
// of the containers lead.
type volumes struct {
	*replica
	layout *layout
	dirs   map[string]string // by name of the volume
	linked map[string]string // what the links below site.Root lead to
}

// volumesDir is below a pod's root.
const volumesDir = ".volumes"

// plan plans the volumes that the containers mount.
func (v *volumes) plan() error {
	w := v.workload
	for _, name := range w.VolumeClaims {
		planned, err := v.claim(name + "-" + w.Name + "-" + strconv.Itoa(v.site.Replica))
		if err := v.add(name, planned, err); err != nil {
			return err
		}
	}
	for _, source := range w.Template.Spec.Volumes {
		if !w.Mounts(source.Name) {
			continue
		}
		planned, err := v.volume(source)
		if err := v.add(source.Name, planned, err); err != nil {
			return err
		}
	}
	return nil
}

func (v *volumes) add(name string, planned volume, err error) error {
	planned.about = fmt.Sprintf("volume %s of %s", name, v.workload)
	if err != nil {
		return fmt.Errorf("%s: %w", planned.about, err)
	}
	v.dirs[name] = planned.dir
	v.layout.volumes = append(v.layout.volumes, planned)
	return nil
}

func (v *volumes) volume(source corev1.Volume) (volume, error) {
	switch {
	case source.PersistentVolumeClaim != nil:
		return v.claim(source.PersistentVolumeClaim.ClaimName)
	case source.HostPath != nil:
		return volume{dir: source.HostPath.Path, ofHost: true}, nil
	}
	if !isElement(source.Name) {
		return volume{}, fmt.Errorf("%q is no name for a volume", source.Name)
	}
	files, secret, err := contents{&v.source}.files(source.VolumeSource)
	if err != nil {
		return volume{}, err
	}
	mode := fs.FileMode(0o755)
	if secret {
		mode = 0o700
	}
	return volume{dir: filepath.Join(v.site.Root, volumesDir, source.Name), mode: mode, files: files}, nil
}

// claim plans the directory of a claim, which outlives the pod.
func (v *volumes) claim(name string) (volume, error) {
	namespace := v.workload.Namespace
	if !isElement(name) || !isElement(namespace) {
		return volume{}, fmt.Errorf("%q in namespace %q is no name for a claim", name, namespace)
	}
	return volume{dir: filepath.Join(v.site.Claims, namespace, name), mode: 0o755}, nil
}

// isElement reports whether name is one element of a path.
func isElement(name string) bool {
	return filepath.IsLocal(name) && filepath.Base(name) == name && name != "."
}
