package workload

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// mount returns where the mounts of a container are here. It also links them
// below site.Root, for programs that look there from their working directory.
func (v *volumes) mount(c corev1.Container, dirs map[string]string, known func(string) (string, bool)) (paths, error) {
	mounts := slices.SortedFunc(slices.Values(c.VolumeMounts), func(a, b corev1.VolumeMount) int {
		return cmp.Compare(len(a.MountPath), len(b.MountPath)) // the outer first
	})
	var places []place
	for _, m := range mounts {
		at, err := v.mountOne(m, dirs, known)
		if err != nil {
			return nil, fmt.Errorf("%s: container %s mounts volume %s at %s: %w", v.seat.workload, c.Name, m.Name, m.MountPath, err)
		}
		places = append(places, at)
	}
	return newPaths(places), nil
}

func (v *volumes) mountOne(m corev1.VolumeMount, dirs map[string]string, known func(string) (string, bool)) (place, error) {
	dir, found := dirs[m.Name]
	if !found {
		return place{}, errors.New("the pod has no such volume")
	}
	inside := path.Clean("/" + m.MountPath)
	if inside == "/" || hasParent(m.MountPath) {
		return place{}, errors.New("a volume needs a directory of its own")
	}
	sub := m.SubPath
	if m.SubPathExpr != "" {
		sub = expand(m.SubPathExpr, known)
	}
	here, err := subPath(dir, sub)
	if err != nil {
		return place{}, err
	}
	return place{inside, here}, v.link(inside, here)
}

func hasParent(slashed string) bool { return slices.Contains(strings.Split(slashed, "/"), "..") }

// subPath returns a path within a volume. It makes a directory of it if there
// is nothing.
func subPath(dir, sub string) (string, error) {
	if sub == "" {
		return dir, nil
	}
	local := filepath.FromSlash(sub)
	if !filepath.IsLocal(local) || hasParent(sub) {
		return "", fmt.Errorf("subPath %s leads out of the volume", sub)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("opening the volume: %w", err)
	}
	if _, err = root.Stat(local); errors.Is(err, fs.ErrNotExist) {
		err = root.MkdirAll(local, 0o755)
	}
	return filepath.Join(dir, local), errors.Join(wrap(err, "subPath "+sub), root.Close())
}

// link makes the mounted path below the root lead to the volume.
func (v *volumes) link(inside, here string) error {
	switch before, placed := v.placed[inside]; {
	case placed && before == here:
		return nil
	case placed:
		return errors.New("another container of the pod has another volume there, and here they share one file system: mount it elsewhere")
	}
	v.placed[inside] = here
	at := filepath.Join(v.site.Root, filepath.FromSlash(inside))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return fmt.Errorf("making the directory above it: %w", err)
	}
	if err := makeRoom(at); err != nil {
		return err
	}
	if err := os.Symlink(here, at); err != nil {
		return fmt.Errorf("linking it: %w", err)
	}
	return nil
}

// makeRoom removes the link, or the empty directory, of an earlier pod: a
// mount below a persistent volume leaves one there. It spares files.
func makeRoom(at string) error {
	info, err := os.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode().IsRegular() {
		return fmt.Errorf("the file %s is in its place: move it away", at)
	}
	if err = errors.Join(err, os.Remove(at)); err != nil {
		return fmt.Errorf("making room for it: %w", err)
	}
	return nil
}
