package kustomize_test

import (
	gobuild "go/build"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// koScheme marks an image that ko builds from the import path behind it.
const koScheme = "ko://"

func TestImagesAreCommandsOfThisModule(t *testing.T) {
	root := ".."
	module := modulePath(t, root)
	eachOverlay(t, func(t *testing.T, objects []object) {
		for _, w := range workloads(t, objects) {
			for _, c := range w.containers() {
				importPath, ours := strings.CutPrefix(c.Image, koScheme)
				if !ours {
					continue
				}
				dir, inModule := strings.CutPrefix(importPath, module+"/")
				if !inModule {
					t.Errorf("%s: %s is not a package of %s", w.name, c.Image, module)
					continue
				}
				pkg, err := gobuild.ImportDir(filepath.Join(root, filepath.FromSlash(dir)), 0)
				if err != nil {
					t.Errorf("%s: %s: %v", w.name, c.Image, err)
				} else if !pkg.IsCommand() {
					t.Errorf("%s: %s is package %s, not a command", w.name, c.Image, pkg.Name)
				}
			}
		}
	})
}

// modulePath returns the path that root's go.mod declares.
func modulePath(t *testing.T, root string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	return modfile.ModulePath(data)
}
