package base

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
)

// pull returns the image or the index with a digest. Without KOCACHE it is what the
// registry has. With it, manifests and configurations are kept there, so that a base
// image that is named by digest needs no network, as upstream has it; layers are not, as
// most registries have them already.
func (i *Images) pull(ref name.Digest) (build.Result, error) {
	if i.blobs == nil {
		descriptor, err := i.puller.Get(i.pulls, ref)
		switch {
		case err != nil:
			return nil, err
		case descriptor.MediaType.IsIndex():
			return descriptor.ImageIndex()
		}
		return descriptor.Image()
	}
	hash, err := v1.NewHash(ref.DigestStr())
	if err != nil {
		return nil, err
	}
	manifest, err := i.blobs.get(hash, func() ([]byte, error) {
		descriptor, err := i.puller.Get(i.pulls, ref)
		if err != nil {
			return nil, err
		}
		return descriptor.Manifest, nil
	})
	if err != nil {
		return nil, err
	}
	kept := kept{from: i, repository: ref.Context(), manifest: manifest}
	if kept.mediaType, err = mediaTypeOf(manifest); err != nil {
		return nil, fmt.Errorf("reading the manifest of %s: %w", ref, err)
	}
	if kept.mediaType.IsIndex() {
		return &keptIndex{kept}, nil
	}
	return partial.CompressedToImage(&keptImage{kept})
}

// mediaTypeOf returns the type of a manifest, which OCI does not make it say.
func mediaTypeOf(manifest []byte) (types.MediaType, error) {
	var is struct {
		MediaType types.MediaType   `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(manifest, &is); err != nil {
		return "", err
	}
	switch {
	case is.MediaType != "":
		return is.MediaType, nil
	case is.Manifests != nil:
		return types.OCIImageIndex, nil
	}
	return types.OCIManifestSchema1, nil
}

// kept is an image or an index whose manifest is at hand.
type kept struct {
	from       *Images
	repository name.Repository
	manifest   []byte
	mediaType  types.MediaType
}

func (k *kept) MediaType() (types.MediaType, error) { return k.mediaType, nil }
func (k *kept) RawManifest() ([]byte, error)        { return k.manifest, nil }
func (k *kept) Digest() (v1.Hash, error)            { return partial.Digest(k) }
func (k *kept) Size() (int64, error)                { return int64(len(k.manifest)), nil }

// keptImage has what [partial.CompressedToImage] makes an image of.
type keptImage struct{ kept }

// RawConfigFile returns the configuration of the image.
func (k *keptImage) RawConfigFile() ([]byte, error) {
	manifest, err := partial.Manifest(k)
	if err != nil {
		return nil, err
	}
	return k.from.blobs.get(manifest.Config.Digest, func() ([]byte, error) {
		config, err := k.open(manifest.Config.Digest)
		if err != nil {
			return nil, err
		}
		defer config.Close()
		return io.ReadAll(io.LimitReader(config, manifest.Config.Size+1)) // Its hash is checked.
	})
}

// LayerByDigest returns a layer that is pulled when it is read.
func (k *keptImage) LayerByDigest(hash v1.Hash) (partial.CompressedLayer, error) {
	manifest, err := partial.Manifest(k)
	if err != nil {
		return nil, err
	}
	if hash == manifest.Config.Digest {
		return partial.ConfigLayer(k)
	}
	for _, descriptor := range manifest.Layers {
		if descriptor.Digest == hash {
			return &layer{descriptor, k}, nil
		}
	}
	return nil, fmt.Errorf("the base image has no layer %s", hash)
}

func (k *keptImage) open(hash v1.Hash) (io.ReadCloser, error) {
	remote, err := k.from.puller.Layer(k.from.pulls, k.repository.Digest(hash.String()))
	if err != nil {
		return nil, err
	}
	return remote.Compressed()
}

// layer is one of an image whose manifest is at hand.
type layer struct {
	descriptor v1.Descriptor
	image      *keptImage
}

func (l *layer) Digest() (v1.Hash, error)            { return l.descriptor.Digest, nil }
func (l *layer) Size() (int64, error)                { return l.descriptor.Size, nil }
func (l *layer) MediaType() (types.MediaType, error) { return l.descriptor.MediaType, nil }
func (l *layer) Compressed() (io.ReadCloser, error)  { return l.image.open(l.descriptor.Digest) }
func (l *layer) Descriptor() (*v1.Descriptor, error) { return &l.descriptor, nil }

// keptIndex is an index whose manifest is at hand.
type keptIndex struct{ kept }

// IndexManifest returns what is in the index.
func (k *keptIndex) IndexManifest() (*v1.IndexManifest, error) {
	return v1.ParseIndexManifest(bytes.NewReader(k.manifest))
}

// Image returns an image that is in the index.
func (k *keptIndex) Image(hash v1.Hash) (v1.Image, error) {
	result, err := k.from.pull(k.repository.Digest(hash.String()))
	if err != nil {
		return nil, err
	}
	image, ok := result.(v1.Image)
	if !ok {
		return nil, fmt.Errorf("%s is an index, and no image", hash)
	}
	return image, nil
}

// ImageIndex returns an index that is in the index.
func (k *keptIndex) ImageIndex(hash v1.Hash) (v1.ImageIndex, error) {
	result, err := k.from.pull(k.repository.Digest(hash.String()))
	if err != nil {
		return nil, err
	}
	index, ok := result.(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("%s is an image, and no index", hash)
	}
	return index, nil
}
