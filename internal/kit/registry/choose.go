package registry

import (
	"context"
	"fmt"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kube"
)

// Choose has images pushed to the registry that a cluster advertises, if nothing else
// says where to, and shows which that is. It changes the options. The zero value of
// Registry means that the options say it; then the cluster is not connected to. If the
// cluster advertises no registry, the error wraps [publish.ErrNoRepository].
func Choose(ctx context.Context, opts *options.PublishOptions, connect func() (*kube.Cluster, error), log *progress.Log) (Registry, error) {
	if !publish.LacksRepository(opts) {
		return Registry{}, nil
	}
	cluster, err := connect()
	var found Registry
	if err == nil {
		found, err = Find(ctx, cluster)
	}
	if ctx.Err() != nil {
		return Registry{}, err
	}
	if err != nil {
		return Registry{}, fmt.Errorf("%w; looking for one that the cluster advertises: %w", publish.ErrNoRepository, err)
	}
	opts.DockerRepo = found.Host
	log.Printf("%s", found.announcement())
	return found, nil
}

// announcement says which registry is taken, and from where.
func (r Registry) announcement() string {
	line := fmt.Sprintf("KO_DOCKER_REPO is not set: images are pushed to %s, which %s advertises", r.Host, r.cluster)
	if r.Runtime != r.Host {
		line += ", and pulled from " + r.Runtime
	}
	return line
}
