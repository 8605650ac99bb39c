package carrier_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/koshop/koshop/internal/kit/reload/carrier"
)

// The image holds the supervisor and nothing else, for the platforms that it is asked
// for, and is the same each time. This test program lies outside the checkout, as a ko
// that was installed does, unless it is copied there.
func TestImage(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: compiles for another platform")
	}
	if os.Getenv(inCheckout) == "" {
		runInCheckout(t)
		return
	}
	var digests []string
	for range 2 {
		built, err := carrier.Image(t.Context(), (*exec.Cmd).Run, []string{"linux/amd64", "linux/arm64"})
		if err != nil {
			t.Fatal(err)
		}
		digest, err := built.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
		index, ok := built.(v1.ImageIndex)
		if !ok {
			t.Fatalf("for two platforms it is a %T", built)
		}
		manifest, err := index.IndexManifest()
		if err != nil || len(manifest.Manifests) != 2 {
			t.Fatalf("error %v, %d images", err, len(manifest.Manifests))
		}
		for i, machine := range []elf.Machine{elf.EM_X86_64, elf.EM_AARCH64} {
			image, err := index.Image(manifest.Manifests[i].Digest)
			if err != nil {
				t.Fatal(err)
			}
			isSupervisor(t, image, machine)
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("it is %s, and then %s", digests[0], digests[1])
	}
	for _, platform := range []string{"windows/amd64", "nonsense/"} {
		if _, err := carrier.Image(t.Context(), (*exec.Cmd).Run, []string{platform}); err == nil {
			t.Errorf("there is an image for %s", platform)
		}
	}
}

func isSupervisor(t *testing.T, image v1.Image, machine elf.Machine) {
	t.Helper()
	program, err := carrier.ExecutableOf(image)
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil || file.Machine != machine {
		t.Errorf("error %v, for %v, expected %v", err, file.Machine, machine)
	}
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it needs %q, error %v", libraries, err)
	}
	config, err := image.ConfigFile()
	if err != nil || config.Config.User != "65532:65532" || config.Config.Entrypoint[0] != "/ko-app/live-reload" || len(config.RootFS.DiffIDs) != 1 {
		t.Errorf("error %v, config %+v", err, config)
	}
}

// inCheckout is set where the test program lies in the checkout.
const inCheckout = "CARRIER_TEST_IN_CHECKOUT"

func runInCheckout(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("../../../..", ".carrier-test-*")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	copied := filepath.Join(dir, "carrier.test")
	if err := os.WriteFile(copied, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copied, "-test.run=^TestImage$")
	cmd.Env = append(os.Environ(), inCheckout+"=yes")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// A ko that is of no version and in no checkout says what to do.
func TestWithoutACheckout(t *testing.T) {
	if os.Getenv(inCheckout) != "" {
		t.Skip("it is in a checkout")
	}
	_, err := carrier.Image(t.Context(), (*exec.Cmd).Run, []string{"linux/amd64"})
	if want := "is of no released version: build it again in a checkout, or install a version"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, expected %s", err, want)
	}
}
