// Package kustomize_test renders every kustomization beside it, in process, and
// holds the result to what the shop promises about its manifests.
package kustomize_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// object is a decoded Kubernetes object.
type object interface {
	runtime.Object
	metav1.Object
}

// tree returns a copy of this directory's YAML files in memory, where a test
// may add a kustomization of its own.
func tree(t *testing.T) filesys.FileSystem {
	t.Helper()
	mem := filesys.MakeFsInMemory()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return mem.WriteFile(path.Join("/", name), data)
	})
	if err != nil {
		t.Fatalf("copying the manifests into memory: %v", err)
	}
	return mem
}

// kustomizations returns the directories that match pattern and hold a
// kustomization.
func kustomizations(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(path.Join(pattern, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("%s holds no kustomization", pattern)
	}
	dirs := make([]string, len(files))
	for i, file := range files {
		dirs[i] = filepath.ToSlash(filepath.Dir(file))
	}
	return dirs
}

// build renders one directory of a file system.
func build(t *testing.T, files filesys.FileSystem, dir string) resmap.ResMap {
	t.Helper()
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, path.Join("/", dir))
	if err != nil {
		t.Fatalf("rendering %s: %v", dir, err)
	}
	return rendered
}

// decode turns rendered documents into the API's own types. A field that the
// type does not have, or that occurs twice, fails the test.
func decode(t *testing.T, rendered resmap.ResMap) []object {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	objects := make([]object, 0, rendered.Size())
	for _, resource := range rendered.Resources() {
		data, err := resource.AsYAML()
		if err != nil {
			t.Fatalf("%s: %v", resource.CurId(), err)
		}
		decoded, _, err := decoder.Decode(data, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", resource.CurId(), err)
		}
		obj, ok := decoded.(object)
		if !ok {
			t.Fatalf("%s: %T has no metadata", resource.CurId(), decoded)
		}
		objects = append(objects, obj)
	}
	return objects
}

// eachOverlay runs check once for every overlay on disk.
func eachOverlay(t *testing.T, check func(t *testing.T, objects []object)) {
	t.Helper()
	for _, dir := range kustomizations(t, "overlays/*") {
		t.Run(path.Base(dir), func(t *testing.T) {
			check(t, decode(t, build(t, tree(t), dir)))
		})
	}
}

// only returns the objects of type T.
func only[T object](objects []object) []T {
	var found []T
	for _, obj := range objects {
		if o, ok := obj.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// names returns the names of the objects of type T as a set.
func names[T object](objects []object) map[string]bool {
	set := map[string]bool{}
	for _, obj := range only[T](objects) {
		set[obj.GetName()] = true
	}
	return set
}
