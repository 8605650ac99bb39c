// Package base fetches base images. The images of one run share one view of them: each is
// asked for once, and its tag stands for the same image until the run ends, whatever
// becomes of the tag meanwhile.
package base

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"
	"sync"

	ecr "github.com/awslabs/amazon-ecr-credential-helper/ecr-login"
	"github.com/chrismellard/docker-credential-acr-env/pkg/credhelper"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/authn/github"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/daemon"
	"github.com/google/go-containerregistry/pkg/v1/google"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/publish"
)

// Keychain has the credentials that upstream ko uses.
var Keychain = authn.NewMultiKeychain(
	authn.NewKeychainFromHelper(ecr.NewECRHelper(ecr.WithLogger(io.Discard))),
	authn.DefaultKeychain,
	google.Keychain,
	github.Keychain,
	authn.NewKeychainFromHelper(credhelper.NewACRCredentialsHelper()),
)

// Images are the base images of one run. They may be used concurrently.
type Images struct {
	// pulls is the context in which layers are pulled, which is done when they are asked
	// for: as late as when the publisher is closed.
	pulls    context.Context
	insecure bool // plain HTTP is tried too
	puller   *remote.Puller
	blobs    *blobs

	digests, results sync.Map // of functions, by the name of an image
}

// New returns the base images of a run that begins now. The context must live until all
// images are published.
func New(ctx context.Context, insecure bool) (*Images, error) {
	puller, err := remote.NewPuller(remote.WithAuthFromKeychain(Keychain), remote.WithUserAgent("ko"))
	if err != nil {
		return nil, fmt.Errorf("setting up the pull of base images: %w", err)
	}
	return &Images{pulls: ctx, insecure: insecure, puller: puller, blobs: cachedBlobs()}, nil
}

// IsLocal reports whether an image is in the container daemon, and in no registry.
func IsLocal(image string) bool { return strings.HasPrefix(image, publish.LocalDomain+"/") }

// Digest returns the digest that an image in a registry has in this run. It needs one
// small request.
func (i *Images) Digest(image string) (string, error) {
	ask, _ := i.digests.LoadOrStore(image, sync.OnceValues(func() (string, error) { return i.findDigest(image) }))
	return ask.(func() (string, error))()
}

func (i *Images) findDigest(image string) (string, error) {
	ref, err := i.parse(image)
	if err != nil {
		return "", err
	}
	if digest, isDigest := ref.(name.Digest); isDigest {
		return digest.DigestStr(), nil
	}
	if descriptor, err := i.puller.Head(i.pulls, ref); err == nil {
		return descriptor.Digest.String(), nil
	}
	descriptor, err := i.puller.Get(i.pulls, ref) // Not every registry answers HEAD.
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", ref, err)
	}
	return descriptor.Digest.String(), nil
}

// Get returns an image, or an index of images for several platforms, and its name. Layers
// are pulled when they are asked for.
func (i *Images) Get(image string) (name.Reference, build.Result, error) {
	ref, err := i.parse(image)
	if err != nil {
		return nil, nil, err
	}
	ask, _ := i.results.LoadOrStore(image, sync.OnceValues(func() (build.Result, error) { return i.fetch(image, ref) }))
	result, err := ask.(func() (build.Result, error))()
	return ref, result, err
}

func (i *Images) fetch(image string, ref name.Reference) (build.Result, error) {
	if IsLocal(image) {
		local, err := daemon.Image(ref)
		if err != nil {
			return nil, fmt.Errorf("loading %s from the container daemon: %w", ref, err)
		}
		return local, nil
	}
	digest, err := i.Digest(image)
	if err != nil {
		return nil, err
	}
	result, err := i.pull(ref.Context().Digest(digest))
	if err != nil {
		return nil, fmt.Errorf("pulling %s: %w", ref, err)
	}
	log.Printf("Using base %s, which is %s", ref, digest) // With --verbose.
	return result, nil
}

func (i *Images) parse(image string) (name.Reference, error) {
	var opts []name.Option
	if i.insecure {
		opts = append(opts, name.Insecure)
	}
	ref, err := name.ParseReference(image, opts...)
	if err != nil {
		return nil, fmt.Errorf("parsing base image (%q): %w", image, err) // In upstream's words.
	}
	return ref, nil
}
