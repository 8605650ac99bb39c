package pod

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/rewrite"
)

// mount returns where the mounts of a container are here. It also plans links to
// them below site.Root, for programs that look there from their working
// directory.
func (v *volumes) mount(c corev1.Container, known func(string) (string, bool)) (rewrite.Paths, error) {
	mounts := slices.SortedFunc(slices.Values(c.VolumeMounts), func(a, b corev1.VolumeMount) int {
		return cmp.Compare(len(a.MountPath), len(b.MountPath)) // the outer first
	})
	var places []rewrite.Place
	for _, m := range mounts {
		about := fmt.Sprintf("%s: container %s mounts volume %s at %s", v.workload, c.Name, m.Name, m.MountPath)
		place, err := v.mountOne(about, m, known)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", about, err)
		}
		places = append(places, place)
	}
	return rewrite.NewPaths(places), nil
}

func (v *volumes) mountOne(about string, m corev1.VolumeMount, known func(string) (string, bool)) (rewrite.Place, error) {
	dir, found := v.dirs[m.Name]
	if !found {
		return rewrite.Place{}, errors.New("the pod has no such volume")
	}
	inside := path.Clean("/" + m.MountPath)
	if inside == "/" || hasParent(m.MountPath) {
		return rewrite.Place{}, errors.New("a volume needs a directory of its own")
	}
	sub := m.SubPath
	if m.SubPathExpr != "" {
		sub = environment.Expand(m.SubPathExpr, known)
	}
	if sub != "" && (!filepath.IsLocal(filepath.FromSlash(sub)) || hasParent(sub)) {
		return rewrite.Place{}, fmt.Errorf("subPath %s leads out of the volume", sub)
	}
	place := rewrite.Place{Inside: inside, Here: filepath.Join(dir, filepath.FromSlash(sub))}
	return place, v.link(place, mount{about: about, dir: dir, sub: sub})
}

func hasParent(slashed string) bool { return slices.Contains(strings.Split(slashed, "/"), "..") }

// link plans a link from the mounted path below the root to the volume, once.
func (v *volumes) link(place rewrite.Place, m mount) error {
	switch before, linked := v.linked[place.Inside]; {
	case linked && before == place.Here:
		return nil
	case linked:
		return errors.New("another container of the pod has another volume there, and here they share one file system: mount it elsewhere")
	}
	v.linked[place.Inside] = place.Here
	m.link = filepath.Join(v.site.Root, filepath.FromSlash(place.Inside))
	v.layout.mounts = append(v.layout.mounts, m)
	return nil
}
