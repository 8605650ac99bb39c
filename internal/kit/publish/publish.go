// Package publish is the stage that brings an image to where the cluster finds
// it: a registry, or with KO_DOCKER_REPO=kind.local or ko.local a node or a
// daemon. The work is upstream ko's; here images get names without hashes and
// errors get a remedy.
package publish

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands"
	"github.com/google/ko/pkg/commands/options"
	"github.com/google/ko/pkg/publish"

	"github.com/koshop/koshop/internal/kit/program"
)

// Publisher publishes the images of one run.
type Publisher struct {
	ko    publish.Interface
	repo  string
	namer publish.Namer
	// chosen is set when the user asked for a way of naming; then two commands
	// that share a name are the user's own wish.
	chosen       bool
	destinations destinations
	opts         *options.PublishOptions // as upstream has completed them
}

// ErrNoRepository is the error of [New] when nothing says where images go.
var ErrNoRepository = errors.New("KO_DOCKER_REPO is not set: export the registry to push images to, such as " +
	"KO_DOCKER_REPO=localhost:5001 or KO_DOCKER_REPO=ghcr.io/you, or kind.local for a kind cluster")

// LacksRepository reports whether images are to be pushed, and nothing says where to.
func LacksRepository(opts *options.PublishOptions) bool {
	return opts.DockerRepo == "" && opts.Push && !opts.Local
}

// New returns a publisher with upstream's options. Unless the options choose
// another name, an image has the name that `go install` gives the program:
// $KO_DOCKER_REPO/user-svc.
func New(opts *options.PublishOptions) (*Publisher, error) {
	chosen := opts.ImageNamer != nil || opts.PreserveImportPaths || opts.BaseImportPaths || opts.Bare
	if !chosen {
		opts.ImageNamer = func(repo, importPath string) string { return path.Join(repo, program.Name(importPath)) }
	}
	if LacksRepository(opts) {
		return nil, ErrNoRepository
	}
	ko, err := commands.NewPublisher(opts)
	if err != nil {
		return nil, fmt.Errorf("setting up the push to KO_DOCKER_REPO=%q: %w", opts.DockerRepo, err)
	}
	return &Publisher{ko: ko, repo: opts.DockerRepo, namer: options.MakeNamer(opts), chosen: chosen, destinations: destinationsOf(opts), opts: opts}, nil
}

// Advise sets what an error says to do when the registry takes no image, for one that
// KO_DOCKER_REPO does not name.
func (p *Publisher) Advise(remedy string) { p.destinations.main.remedy = remedy }

// Check refuses import paths, schemes included, whose images would overwrite
// each other's tags because the commands have the same name.
func (p *Publisher) Check(importPaths []string) error {
	if p.chosen {
		return nil
	}
	taken := map[string]string{}
	for _, importPath := range importPaths {
		name := strings.ToLower(strings.TrimPrefix(importPath, build.StrictScheme)) // As upstream does.
		image := p.namer(p.repo, name)
		if first, ok := taken[image]; ok {
			return fmt.Errorf("%s and %s would both be pushed to %s: pass --preserve-import-paths to keep them apart", first, importPath, image)
		}
		taken[image] = importPath
	}
	return nil
}

// Publish pushes the image of an import path, scheme included, and returns the
// reference to deploy: by digest, or by tag with --tag-only.
func (p *Publisher) Publish(ctx context.Context, image build.Result, importPath string) (name.Reference, error) {
	if p.OnlyNames() {
		return p.name(image, importPath)
	}
	ref, err := p.ko.Publish(ctx, image, importPath)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("publishing %s: %w", importPath, context.Cause(ctx))
	}
	if err != nil {
		to := p.destinations.of(err)
		return nil, fmt.Errorf("publishing %s to %s: %w\n%s", importPath, to.name, err, to.remedy)
	}
	return ref, nil
}

// Close ends what the publisher holds open: a tarball is written only now.
func (p *Publisher) Close() error {
	err := p.ko.Close()
	if to := p.destinations.tarball; err != nil && to != nil {
		return fmt.Errorf("writing images to %s: %w\n%s", to.name, err, to.remedy)
	}
	return err
}
