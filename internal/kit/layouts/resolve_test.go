//go:build linux

package layouts_test

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/koshop/koshop/internal/kit/layouts"
)

// resolve runs what is in the images that `ko resolve -k` publishes.
func (r *repository) resolve(t *testing.T) {
	stdout, printed, err := output(r.ko(t, "resolve", "--sbom=none", "-k", r.Kustomization))
	if !r.judge(t, "resolve", err, printed) {
		return
	}
	if strings.Contains(stdout, "ko://") {
		t.Errorf("a reference is left in\n%s", stdout)
	}
	for _, p := range r.Programs {
		image := regexp.MustCompile(regexp.QuoteMeta(r.registry+"/"+p.Image) + `@sha256:[0-9a-f]{64}(\s|$)`).FindString(stdout)
		if image == "" {
			t.Errorf("no image %s/%s in\n%s", r.registry, p.Image, stdout)
			continue
		}
		runImage(t, p, strings.TrimSpace(image))
	}
}

// runImage runs the program of an image, with the image's kodata.
func runImage(t *testing.T, p *layouts.Program, image string) (executable string) {
	t.Helper()
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	layers := mutate.Extract(img)
	defer layers.Close()
	if err := untar(layers, dir); err != nil {
		t.Fatal(err)
	}
	executable = filepath.Join(dir, config.Config.Entrypoint[0])
	says(t, p, executable, filepath.Join(dir, "var/run/ko"))
	return executable
}

// untar unpacks regular files, which is all that ko puts into images.
func untar(stream io.Reader, dir string) error {
	for archive := tar.NewReader(stream); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, header.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := writeExecutable(path, content); err != nil {
			return err
		}
	}
}

// writeExecutable writes a file that can be run at once: no process that another
// test starts meanwhile inherits it open for writing.
func writeExecutable(path string, content []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, content, 0o755)
}

// pushBase pushes an image for this machine with a layer of noise.
func pushBase(t *testing.T, image string) {
	t.Helper()
	base, err := random.Image(1024, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := base.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture = "linux", runtime.GOARCH
	if base, err = mutate.ConfigFile(base, config); err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, base); err != nil {
		t.Fatal(err)
	}
}
