package reuse

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/publish"
)

// registry asks registries for what images there are.
type registry struct {
	transport http.RoundTripper
	options   []remote.Option
	puller    *remote.Puller
	open      sync.Map // of functions that return a puller, by the name of a registry
}

func newRegistry(insecure bool) (*registry, error) {
	network := remote.DefaultTransport.(*http.Transport).Clone()
	if insecure {
		network.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // --insecure-registry asks for it, as upstream has it.
	}
	r := &registry{transport: network, options: []remote.Option{
		remote.WithAuthFromKeychain(base.Keychain), remote.WithUserAgent("ko"), remote.WithTransport(network),
	}}
	var err error
	if r.puller, err = remote.NewPuller(r.options...); err != nil {
		return nil, fmt.Errorf("setting up questions to the registry: %w", err)
	}
	r.options = append(r.options, remote.Reuse(r.puller))
	return r, nil
}

// with returns the options of one request.
func (r *registry) with(ctx context.Context) []remote.Option {
	return append(r.options[:len(r.options):len(r.options)], remote.WithContext(ctx))
}

// pullerOf returns the puller that asks for images of a repository. The general one asks
// the registry how to authenticate once for each repository, over a connection of its
// own; of a registry that wants no credentials, that is asked once.
func (r *registry) pullerOf(ctx context.Context, repository name.Repository) *remote.Puller {
	given, err := authn.Resolve(ctx, base.Keychain, repository)
	if err != nil || given != authn.Anonymous {
		return r.puller
	}
	find, _ := r.open.LoadOrStore(repository.RegistryStr(), sync.OnceValue(func() *remote.Puller {
		if puller := r.openPuller(ctx, repository.Registry); puller != nil {
			return puller
		}
		return r.puller
	}))
	return find.(func() *remote.Puller)()
}

// openPuller returns a puller for all repositories of a registry that wants no
// credentials, or nil if it does.
func (r *registry) openPuller(ctx context.Context, registry name.Registry) *remote.Puller {
	challenge, err := transport.Ping(ctx, registry, r.transport)
	if err != nil || challenge.Scheme != "" {
		return nil
	}
	retrying := transport.NewUserAgent(transport.NewRetry(r.transport), "ko")
	ready, err := transport.NewWithContext(ctx, registry, authn.Anonymous, retrying, nil)
	if err != nil {
		return nil
	}
	puller, err := remote.NewPuller(remote.WithTransport(ready))
	if err != nil {
		return nil
	}
	return puller
}

// offer reports whether the image with this digest can be deployed from its place. It
// makes the tags name it, as pushing it would, unless it may only read.
func (r *registry) offer(ctx context.Context, place *publish.Place, digest string, readOnly bool) bool {
	if !place.IsPushed() {
		return true // Nobody said that it would be there.
	}
	image := place.Repository.Digest(digest)
	if len(place.Tags) == 0 || readOnly {
		return r.has(ctx, image)
	}
	for _, tag := range place.Tags {
		if err := r.tag(ctx, image, tag); err != nil {
			return false
		}
	}
	return true
}

// has reports whether an image is in the registry.
func (r *registry) has(ctx context.Context, image name.Digest) bool {
	_, err := r.pullerOf(ctx, image.Context()).Head(ctx, image)
	return err == nil
}

// tag has a tag name the image with a digest, which must be in the repository.
func (r *registry) tag(ctx context.Context, image name.Digest, tag name.Tag) error {
	puller := r.pullerOf(ctx, tag.Context())
	if descriptor, err := puller.Head(ctx, tag); err == nil && descriptor.Digest.String() == image.DigestStr() {
		return nil
	}
	found, err := puller.Get(ctx, image)
	if err == nil {
		err = remote.Tag(tag, found, r.with(ctx)...)
	}
	return err
}
