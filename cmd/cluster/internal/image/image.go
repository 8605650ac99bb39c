package image

import (
	"context"
	"fmt"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Push puts an image of the given layer files and configuration into the registry under
// each of the references (which differ in their tag only) and returns it by digest.
func Push(ctx context.Context, config v1.Config, layerFiles []string, references ...string) (digest string, err error) {
	img, err := assemble(config, layerFiles)
	if err != nil {
		return "", err
	}
	for _, reference := range references {
		tag, err := name.NewTag(reference)
		if err != nil {
			return "", err
		}
		if err := remote.Write(tag, img, remote.WithContext(ctx)); err != nil {
			return "", fmt.Errorf("pushing %s: %w", reference, err)
		}
		hash, err := img.Digest()
		if err != nil {
			return "", err
		}
		digest = tag.Repository.Digest(hash.String()).String()
	}
	return digest, nil
}

func assemble(config v1.Config, layerFiles []string) (v1.Image, error) {
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS:           "linux",
		Architecture: runtime.GOARCH,
		RootFS:       v1.RootFS{Type: "layers"},
		Config:       config,
	})
	if err != nil {
		return nil, err
	}
	for _, file := range layerFiles {
		layer, err := tarball.LayerFromFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the layer %s: %w", file, err)
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			return nil, err
		}
	}
	return img, nil
}
