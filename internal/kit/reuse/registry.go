package reuse

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"

	ecr "github.com/awslabs/amazon-ecr-credential-helper/ecr-login"
	"github.com/chrismellard/docker-credential-acr-env/pkg/credhelper"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/authn/github"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/google"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/koshop/koshop/internal/kit/publish"
)

// keychain has the credentials that upstream ko uses.
var keychain = authn.NewMultiKeychain(
	authn.NewKeychainFromHelper(ecr.NewECRHelper(ecr.WithLogger(io.Discard))),
	authn.DefaultKeychain,
	google.Keychain,
	github.Keychain,
	authn.NewKeychainFromHelper(credhelper.NewACRCredentialsHelper()),
)

// registry asks registries for what images there are.
type registry struct {
	insecure bool
	options  []remote.Option
	puller   *remote.Puller
	bases    sync.Map // of functions, by the name of a base image
}

func newRegistry(insecure bool) (*registry, error) {
	transport := remote.DefaultTransport.(*http.Transport).Clone()
	if insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // --insecure-registry asks for it.
	}
	r := &registry{insecure: insecure, options: []remote.Option{
		remote.WithAuthFromKeychain(keychain), remote.WithUserAgent("ko"), remote.WithTransport(transport),
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

// base returns the digest of a base image. It is asked for once.
func (r *registry) base(ctx context.Context, image string) (digest string, err error) {
	ask, _ := r.bases.LoadOrStore(image, sync.OnceValues(func() (string, error) {
		var opts []name.Option
		if r.insecure {
			opts = append(opts, name.Insecure)
		}
		ref, err := name.ParseReference(image, opts...)
		if err != nil {
			return "", err
		}
		if digest, isDigest := ref.(name.Digest); isDigest {
			return digest.DigestStr(), nil
		}
		descriptor, err := r.puller.Head(ctx, ref)
		if err != nil {
			return "", err
		}
		return descriptor.Digest.String(), nil
	}))
	return ask.(func() (string, error))()
}

// offer reports whether the image with this digest can be deployed from its place. It
// makes the tags name it, as pushing it would, unless it may only read.
func (r *registry) offer(ctx context.Context, place *publish.Place, digest string, readOnly bool) bool {
	if !place.IsPushed() {
		return true // Nobody said that it would be there.
	}
	var wrong []name.Tag
	for _, tag := range place.Tags {
		if descriptor, err := r.puller.Head(ctx, tag); err != nil || descriptor.Digest.String() != digest {
			wrong = append(wrong, tag)
		}
	}
	if len(wrong) == 0 && len(place.Tags) > 0 {
		return true
	}
	image, err := r.puller.Get(ctx, place.Repository.Digest(digest))
	for _, tag := range wrong {
		if err == nil && !readOnly {
			err = remote.Tag(tag, image, r.with(ctx)...)
		}
	}
	return err == nil
}
