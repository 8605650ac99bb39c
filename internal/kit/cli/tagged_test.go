package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koshop/koshop/internal/kit/kittest"
)

// A base of plain images, with tags, is built from here by kustomize's images:.
func TestImagesOfATaggedBase(t *testing.T) {
	host := kittest.UseRegistry(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(guestbook)); err != nil {
		t.Fatal(err)
	}
	writeFiles(t, dir, map[string]string{
		"foreign/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: 'web:1.0'}]}\n",
		"foreign/kustomization.yaml": "namespace: prod\nresources: [pod.yaml]\nimages:\n" +
			"- {name: web, newName: 'ko://example.com/guestbook/cmd/web'}\n",
	})
	t.Chdir(dir)
	stdout, stderr, err := ko(t, "resolve", "-k", "foreign")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stdout, "image: "+host+"/web@sha256:") {
		t.Errorf("the image is not published by digest:\n%s", stdout)
	}
	const note = "Pod prod/web: image ko://example.com/guestbook/cmd/web:1.0: the tag 1.0 is dropped: ko names the image by what it builds\n"
	if strings.Count(stderr, note) != 1 {
		t.Errorf("the note is not there once:\n%s", stderr)
	}
}

// writeFiles writes files below a directory.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
