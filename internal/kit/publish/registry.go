package publish

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands/options"
	"github.com/google/ko/pkg/publish"
)

// Place is where the image of one program is in a registry.
type Place struct {
	Repository name.Repository
	Tags       []name.Tag // at least one if it is pushed

	image   string // as it is written in manifests
	tagOnly bool
	pushed  bool
}

// isRegistry reports whether images go to a registry and nowhere else. The options are
// those that upstream has completed.
func isRegistry(opts *options.PublishOptions) bool {
	return !opts.Local && opts.DockerRepo != "" && !strings.HasPrefix(opts.DockerRepo, publish.KindDomain) &&
		opts.OCILayoutPath == "" && opts.TarballFile == "" && opts.ImageRefsFile == ""
}

// OnlyNames reports whether images are published nowhere, and only get names.
func (p *Publisher) OnlyNames() bool {
	return !p.opts.Push && isRegistry(p.opts)
}

// name returns what an image would be deployed by if it were published. Upstream's
// publisher for that does not take names with capitals, as the one that pushes does.
func (p *Publisher) name(image build.Result, importPath string) (name.Reference, error) {
	place, err := p.Place(importPath)
	if err != nil {
		return nil, fmt.Errorf("naming the image of %s: %w", importPath, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return nil, fmt.Errorf("taking the digest of %s: %w", importPath, err)
	}
	return place.Reference(digest.String())
}

// Place returns where the image of an import path, scheme included, is published to, or
// nil if that is not just a registry.
func (p *Publisher) Place(importPath string) (*Place, error) {
	if !isRegistry(p.opts) {
		return nil, nil
	}
	var opts []name.Option
	if p.opts.InsecureRegistry {
		opts = append(opts, name.Insecure)
	}
	image := p.namer(p.repo, strings.ToLower(strings.TrimPrefix(importPath, build.StrictScheme))) // As upstream does.
	repository, err := name.NewRepository(image, opts...)
	if err != nil {
		return nil, err
	}
	place := &Place{Repository: repository, image: image, tagOnly: p.opts.TagOnly, pushed: p.opts.Push}
	for _, tag := range p.opts.Tags {
		tag, err := name.NewTag(image+":"+tag, opts...)
		if err != nil {
			return nil, err
		}
		place.Tags = append(place.Tags, tag)
	}
	return place, nil
}

// IsPushed reports whether the image is pushed there. Otherwise it only gets the name.
func (p *Place) IsPushed() bool { return p.pushed }

// Reference returns what the image with a digest is deployed by, as upstream's
// publishers do.
func (p *Place) Reference(digest string) (name.Reference, error) {
	image := p.image
	if len(p.Tags) > 0 {
		tag := p.Tags[0].TagStr()
		if p.tagOnly {
			return name.NewTag(image + ":" + tag)
		}
		if !p.pushed || len(p.Tags) == 1 && tag != "latest" {
			image += ":" + tag // It is a release, as a rule.
		}
	}
	return name.NewDigest(image + "@" + digest)
}
