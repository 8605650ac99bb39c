package reuse

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// A registry keeps beside an image a manifest that refers to the hash of its inputs, as
// if that were an image, and names the image in an annotation. So the registry can be
// asked which image was made of given inputs: by its list of referrers, or where it has
// none, by the tag that stands in for that list
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers).
// What is referred to need not be there.
const (
	recordType      = "application/vnd.koshop.record.v1"
	imageAnnotation = "dev.koshop.image"
	emptyType       = "application/vnd.oci.empty.v1+json"
	mostCandidates  = 8 // manifests that are read for one hash
)

// made returns the digests of images in a repository that were made of the inputs with
// this hash. Whether they are there is not looked at.
func (r *registry) made(ctx context.Context, repository name.Repository, inputs string) []string {
	index, err := remote.Referrers(repository.Digest("sha256:"+inputs), r.with(ctx)...)
	if err != nil {
		return nil // It is built, as if nothing were known.
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil
	}
	var digests []string
	for _, candidate := range list.Manifests {
		if candidate.ArtifactType != recordType || len(digests) == mostCandidates {
			continue
		}
		if digest, err := r.imageOf(ctx, repository, candidate.Digest, inputs); err == nil {
			digests = append(digests, digest)
		}
	}
	return digests
}

// imageOf returns the digest of the image that a record of inputs names. What lists it may
// be wrong.
func (r *registry) imageOf(ctx context.Context, repository name.Repository, record v1.Hash, inputs string) (string, error) {
	descriptor, err := r.puller.Get(ctx, repository.Digest(record.String()))
	if err != nil {
		return "", err
	}
	image, err := descriptor.Image()
	if err != nil {
		return "", err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return "", err
	}
	if subject := manifest.Subject; subject == nil || subject.Digest.Hex != inputs || manifest.Config.MediaType != recordType {
		return "", fmt.Errorf("%s is no record of %s", record, inputs)
	}
	digest, err := v1.NewHash(manifest.Annotations[imageAnnotation])
	return digest.String(), err
}

// keep has the registry keep that an image was made of the inputs with this hash.
func (r *registry) keep(ctx context.Context, repository name.Repository, inputs, digest string) error {
	record, err := newRecord(inputs, digest)
	if err != nil {
		return err
	}
	id, err := record.Digest()
	if err != nil {
		return err
	}
	if err := remote.Write(repository.Digest(id.String()), record, r.with(ctx)...); err != nil {
		return fmt.Errorf("keeping the record in the registry: %w", err)
	}
	return nil
}

// newRecord returns the manifest of a record. It is the same for the same image.
func newRecord(inputs, digest string) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), recordType)
	image, err := mutate.AppendLayers(image, static.NewLayer([]byte("{}"), emptyType)) // One is asked for.
	if err != nil {
		return nil, err
	}
	subject := v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: v1.Hash{Algorithm: "sha256", Hex: inputs}}
	image = mutate.Annotations(image, map[string]string{imageAnnotation: digest}).(v1.Image)
	return mutate.Subject(image, subject).(v1.Image), nil
}
