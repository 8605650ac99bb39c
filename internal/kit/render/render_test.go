package render_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/koshop/koshop/internal/kit/render"
)

func TestFilesOfAKustomization(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	used := []string{
		write("base/config.txt", "a=1"),
		write("base/kustomization.yaml", "configMapGenerator:\n- name: c\n  files: [config.txt]\n"),
		write("overlay/kustomization.yaml", "resources: [../base]\npatches:\n- path: patch.yaml\n"),
		write("overlay/patch.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {b: \"2\"}\n"),
	}
	write("overlay/unused.yaml", "")
	expect := func(files []string) {
		t.Helper()
		for _, want := range used {
			if !slices.Contains(files, want) {
				t.Errorf("%s is missing in %q", want, files)
			}
		}
		if slices.Contains(files, filepath.Join(dir, "overlay/unused.yaml")) {
			t.Errorf("a file nobody reads is in %q", files)
		}
	}
	_, files, err := render.KustomizationFiles(filepath.Join(dir, "overlay"), render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(files)
	if err := os.Remove(used[3]); err != nil { // It may come back.
		t.Fatal(err)
	}
	_, files, err = render.KustomizationFiles(filepath.Join(dir, "overlay"), render.Options{})
	if err == nil {
		t.Error("a missing patch is no error")
	}
	expect(files)
	write("overlay/patch.yaml", "kind: [")
	_, files, err = render.KustomizationFiles(filepath.Join(dir, "overlay"), render.Options{})
	if err == nil {
		t.Error("a broken patch is no error")
	}
	expect(files)
}
