// Package render is the first stage of the pipeline: it turns a kustomization
// into manifests, in process.
package render

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Options change what a kustomization is rendered to.
type Options struct {
	// Namespace moves the whole of it there: it is rendered as if its own
	// kustomization file set this namespace. "" leaves it as it is.
	Namespace string
	// Helm is the program that inflates helmCharts: a name on PATH, or a path.
	// With "", a kustomization that has charts is an error.
	Helm string
	// AnyFile lets a kustomization load files from outside its directory, as
	// kustomize's LoadRestrictionsNone does.
	AnyFile bool
	// Cache keeps what was rendered. [KustomizationFiles] does not use it.
	Cache Cache
	// Note is told, each thing once, what was changed beyond what kustomize does:
	// ko:// references lose their tags and digests. It may be nil.
	Note func(string)
}

// Kustomization builds the kustomization at target and returns its objects as
// a stream of YAML documents. A target is what `kubectl kustomize` takes: a
// local directory, or a remote one such as
// https://github.com/org/repo//overlays/dev?ref=v1, which kustomize clones
// with git.
func Kustomization(target string, opts Options) ([]byte, error) {
	if opts.Cache.Directory != "" && opts.Helm == "" { // Helm reads what it likes.
		return opts.Cache.render(target, opts)
	}
	manifests, _, err := build(filesys.MakeFsOnDisk(), target, opts)
	return manifests, err
}

// KustomizationFiles does what Kustomization does, and returns the local files
// and directories that the manifests depend on, absolute and sorted. They are
// those read so far when it fails, so that a caller can wait for their repair.
func KustomizationFiles(target string, opts Options) (manifests []byte, files []string, err error) {
	recorder := &recorder{FileSystem: filesys.MakeFsOnDisk(), read: map[string]bool{}}
	manifests, _, err = build(recorder, target, opts)
	files = slices.Sorted(maps.Keys(recorder.read))
	if opts.Helm != "" {
		files = append(files, chartFiles(files)...)
		slices.Sort(files)
		files = slices.Compact(files)
	}
	if absolute, absErr := filepath.Abs(target); absErr == nil && len(files) == 0 {
		for _, name := range konfig.RecognizedKustomizationFileNames() {
			files = append(files, filepath.Join(absolute, name))
		}
	}
	return manifests, files, err
}

func build(disk filesys.FileSystem, target string, opts Options) (manifests []byte, objects resmap.ResMap, err error) {
	if err := check(target); err != nil {
		return nil, nil, err
	}
	mover := &mover{FileSystem: disk, namespace: opts.Namespace, done: opts.Namespace == ""}
	options := krusty.MakeDefaultOptions()
	// As the kustomize command line does when no order is asked for.
	options.Reorder = krusty.ReorderOptionUnspecified
	options.PluginConfig.HelmConfig = types.HelmConfig{Enabled: opts.Helm != "", Command: opts.Helm}
	if opts.AnyFile {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	objects, err = krusty.MakeKustomizer(options).Run(mover, target)
	if mover.err != nil {
		return nil, nil, fmt.Errorf("rendering kustomization %s: %w", target, mover.err)
	}
	if err != nil {
		return nil, nil, explain(target, opts, err)
	}
	dropTags(objects, opts.Note)
	manifests, err = objects.AsYaml()
	if err != nil {
		return nil, nil, fmt.Errorf("writing the objects of kustomization %s: %w", target, err)
	}
	return manifests, objects, nil
}

// check refuses a local path that is plainly no kustomization, because
// kustomize's own message for it speaks of git and symlinks.
func check(target string) error {
	info, err := os.Stat(target)
	if err != nil {
		return nil // It may be a remote one.
	}
	if !info.IsDir() {
		return fmt.Errorf("kustomization %s is a file: -k takes the directory that holds it, here %s", target, filepath.Dir(target))
	}
	names := konfig.RecognizedKustomizationFileNames()
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(target, name)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s holds no kustomization: expected one of %s in it", target, strings.Join(names, ", "))
}
