package check

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"

	"github.com/koshop/koshop/internal/workshop/report"
)

// registryPatience bounds a look into the registry.
const registryPatience = 10 * time.Second

// lookAtImages finds out what the images of a service's pods are made of. ko
// writes it into their history, and the pods name them by digest.
func lookAtImages(ctx context.Context, service string, pods []corev1.Pod, command string) report.Finding {
	var images []string
	for _, pod := range pods {
		for _, container := range pod.Spec.Containers {
			if container.Name == service && !slices.Contains(images, container.Image) {
				images = append(images, container.Image)
			}
		}
	}
	if len(images) != 1 {
		return report.Fail(command, "its pods have no container %s with the same image in all: %q", service, images)
	}
	image := images[0]
	if strings.HasPrefix(image, "kind.local/") || strings.HasPrefix(image, "ko.local/") {
		return report.Pass("%s, which ko loaded into the node", image) // Nobody else names images so, and no registry has them.
	}
	source, err := sourceOf(ctx, image)
	switch {
	case err != nil:
		return report.Warn("see that this laptop reaches the registry, or trust that ko built it", "nobody says who built it: %v", err)
	case source == "":
		return report.Fail(command, "it runs %s, which ko did not build", image)
	case path.Base(source) != service && slices.Contains(services, path.Base(source)):
		return report.Fail(command, "it runs %s, built from %s", image, source)
	}
	return report.Pass("built by ko from %s", source)
}

// sourceOf returns the import path that ko built an image from, or "" if
// somebody else built it.
func sourceOf(ctx context.Context, image string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, registryPatience)
	defer cancel()
	reference, err := name.ParseReference(image)
	if err != nil {
		return "", err
	}
	descriptor, err := remote.Get(reference, remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("looking into the registry: %w", err)
	}
	one, err := oneOf(descriptor)
	if err != nil {
		return "", err
	}
	config, err := one.ConfigFile()
	if err != nil {
		return "", err
	}
	for _, layer := range config.History {
		if source, found := strings.CutPrefix(layer.CreatedBy, "ko build ko://"); found {
			return source, nil
		}
	}
	return "", nil
}

// oneOf returns the image, or the first of an index: those for other platforms
// are made of the same.
func oneOf(descriptor *remote.Descriptor) (v1.Image, error) {
	if !descriptor.MediaType.IsIndex() {
		return descriptor.Image()
	}
	index, err := descriptor.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) == 0 {
		return nil, fmt.Errorf("the index %s is empty", descriptor.Digest)
	}
	return index.Image(manifest.Manifests[0].Digest)
}
