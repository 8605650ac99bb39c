// Package carrier makes the image that carries the supervisor of live reload into a
// pod: its program on an empty base, so that nothing is pulled for it and so that no
// module needs to know of it.
package carrier

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
)

// Reference is what manifests ask for the image by.
const Reference = build.StrictScheme + importPath

// user is a user id without rights, as that of distroless' nonroot.
const user = "65532:65532"

// programPath is where the image has the program.
const programPath = "ko-app/live-reload"

// Image makes the image for platforms such as linux/amd64: an index if there are
// several.
func Image(ctx context.Context, run func(*exec.Cmd) error, platforms []string) (build.Result, error) {
	scratch, err := os.MkdirTemp("", "ko-live-reload-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	wanted, err := parse(platforms)
	if err != nil {
		return nil, err
	}
	var images []mutate.IndexAddendum
	for _, platform := range wanted {
		program, err := executable(ctx, run, platform.OS, platform.Architecture, scratch)
		if err != nil {
			return nil, err
		}
		image, err := imageOf(program, platform)
		if err != nil {
			return nil, fmt.Errorf("making the image of the supervisor of live reload: %w", err)
		}
		if len(wanted) == 1 {
			return image, nil
		}
		images = append(images, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	return mutate.IndexMediaType(mutate.AppendManifests(empty.Index, images...), types.OCIImageIndex), nil
}

// parse reads platforms. "all", which is what the base image has, is here what most
// clusters have.
func parse(platforms []string) ([]v1.Platform, error) {
	if slices.Contains(platforms, "all") {
		platforms = []string{"linux/amd64", "linux/arm64"}
	}
	var parsed []v1.Platform
	for _, text := range platforms {
		platform, err := v1.ParsePlatform(text)
		if err != nil {
			return nil, fmt.Errorf("--platform %s: %w", text, err)
		}
		if platform.OS != "linux" {
			return nil, fmt.Errorf("--platform %s: live reload is for Linux", text)
		}
		parsed = append(parsed, *platform)
	}
	return parsed, nil
}

// imageOf is the same, byte for byte, for the same program.
func imageOf(program []byte, platform v1.Platform) (v1.Image, error) {
	var files bytes.Buffer
	archive := tar.NewWriter(&files)
	for _, header := range []tar.Header{
		{Name: "ko-app", Typeflag: tar.TypeDir, Mode: 0o555},
		{Name: programPath, Typeflag: tar.TypeReg, Mode: 0o555, Size: int64(len(program))},
	} {
		if err := archive.WriteHeader(&header); err != nil {
			return nil, err
		}
	}
	if _, err := archive.Write(program); err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Variant = platform.OS, platform.Architecture, platform.Variant
	file.Config = v1.Config{User: user, Entrypoint: []string{"/" + programPath}, WorkingDir: "/"}
	return mutate.ConfigFile(image, file)
}
