package pod

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/kit/environment"
	"github.com/koshop/koshop/internal/kit/workload"
)

// fileMode is that of files for which the manifests say none.
const fileMode = 0o644

// secretMask is what remains of a mode for a Secret's files: this is not a
// container, others may look in.
const secretMask fs.FileMode = 0o700

// contents says what volumes hold at first.
type contents struct{ *environment.Source }

// files returns the files of a volume, and whether part of it is secret.
func (c contents) files(source corev1.VolumeSource) (files []file, secret bool, err error) {
	switch {
	case source.ConfigMap != nil:
		s := source.ConfigMap
		files, err = c.configMapFiles(s.Name, s.Items, modeOf(s.DefaultMode), isTrue(s.Optional))
	case source.Secret != nil:
		s := source.Secret
		secret = true
		files, err = c.secretFiles(s.SecretName, s.Items, modeOf(s.DefaultMode), isTrue(s.Optional))
	case source.DownwardAPI != nil:
		files, err = c.downward(source.DownwardAPI.Items, modeOf(source.DownwardAPI.DefaultMode))
	case source.Projected != nil:
		for _, projection := range source.Projected.Sources {
			part, err := c.projected(projection, modeOf(source.Projected.DefaultMode))
			if err != nil {
				return nil, false, err
			}
			files = append(files, part...)
			secret = secret || projection.Secret != nil
		}
	}
	for _, f := range files {
		if !filepath.IsLocal(filepath.FromSlash(f.path)) {
			return nil, false, fmt.Errorf("path %s leads out of the volume", f.path)
		}
	}
	return files, secret, err
}

func (c contents) projected(p corev1.VolumeProjection, mode fs.FileMode) ([]file, error) {
	switch {
	case workload.IsOfCluster(p):
		return nil, nil // noted when the manifests were read
	case p.ConfigMap != nil:
		return c.configMapFiles(p.ConfigMap.Name, p.ConfigMap.Items, mode, isTrue(p.ConfigMap.Optional))
	case p.Secret != nil:
		return c.secretFiles(p.Secret.Name, p.Secret.Items, mode, isTrue(p.Secret.Optional))
	case p.DownwardAPI != nil:
		return c.downward(p.DownwardAPI.Items, mode)
	}
	return nil, nil
}

func modeOf(bits *int32) fs.FileMode {
	if bits == nil {
		return fileMode
	}
	return fs.FileMode(*bits) & fs.ModePerm
}

func (c contents) configMapFiles(name string, items []corev1.KeyToPath, mode fs.FileMode, optional bool) ([]file, error) {
	data := c.ConfigMap(name)
	if data == nil && !optional {
		return nil, fmt.Errorf("there is no ConfigMap %s in the kustomization: add it with configMapGenerator, or make the volume optional", name)
	}
	return keyFiles("ConfigMap "+name, data, items, mode, optional)
}

func (c contents) secretFiles(name string, items []corev1.KeyToPath, mode fs.FileMode, optional bool) ([]file, error) {
	data := c.Secret(name)
	if data == nil && !optional {
		return nil, fmt.Errorf("there is no Secret %s in the kustomization: add it with secretGenerator, or make the volume optional", name)
	}
	files, err := keyFiles("Secret "+name, data, items, mode, optional)
	for i := range files {
		files[i].mode &= secretMask
	}
	return files, err
}

// keyFiles returns a file for each item, or for each key if there are none.
func keyFiles(object string, data map[string][]byte, items []corev1.KeyToPath, mode fs.FileMode, optional bool) ([]file, error) {
	var files []file
	if len(items) == 0 {
		for _, name := range slices.Sorted(maps.Keys(data)) {
			files = append(files, file{name, data[name], mode})
		}
		return files, nil
	}
	for _, item := range items {
		content, found := data[item.Key]
		if !found && optional {
			continue
		}
		if !found {
			return nil, fmt.Errorf("%s: it has no key %s", object, item.Key)
		}
		files = append(files, file{item.Path, content, itemMode(item.Mode, mode)})
	}
	return files, nil
}

func itemMode(own *int32, general fs.FileMode) fs.FileMode {
	if own == nil {
		return general
	}
	return modeOf(own)
}

func (c contents) downward(items []corev1.DownwardAPIVolumeFile, mode fs.FileMode) ([]file, error) {
	var files []file
	for _, item := range items {
		var value string
		var err error
		switch {
		case item.FieldRef != nil:
			value, err = c.Field(item.FieldRef.FieldPath)
		case item.ResourceFieldRef != nil:
			value, err = c.Resource(corev1.Container{}, item.ResourceFieldRef)
		}
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", item.Path, err)
		}
		files = append(files, file{item.Path, []byte(value), itemMode(item.Mode, mode)})
	}
	return files, nil
}

func isTrue(b *bool) bool { return b != nil && *b }
