package carrier

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/ko/pkg/build"
)

// ExecutableOf returns the program of an image that ko has built; of an index that of
// its first image.
func ExecutableOf(built build.Result) ([]byte, error) {
	image, err := firstImage(built)
	if err != nil {
		return nil, err
	}
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	for _, layer := range slices.Backward(layers) { // The program's is above the base image's.
		executable, err := executableIn(layer)
		if err != nil || executable != nil {
			return executable, err
		}
	}
	return nil, errors.New("the image has no program")
}

func firstImage(built build.Result) (v1.Image, error) {
	switch built := built.(type) {
	case v1.Image:
		return built, nil
	case v1.ImageIndex:
		manifest, err := built.IndexManifest()
		if err != nil {
			return nil, err
		}
		for _, each := range manifest.Manifests {
			if each.MediaType.IsImage() {
				return built.Image(each.Digest)
			}
		}
	}
	return nil, fmt.Errorf("there is no image in a %T", built)
}

// executableIn returns the program in a layer, nil if it is not there.
func executableIn(layer v1.Layer) (executable []byte, err error) {
	content, err := layer.Uncompressed()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	for files := tar.NewReader(content); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if dir := path.Dir(path.Clean("/" + header.Name)); dir == "/ko-app" && header.Typeflag == tar.TypeReg {
			return io.ReadAll(files)
		}
	}
}
