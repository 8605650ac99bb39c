package cli

import (
	"context"

	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kit/registry"
	"github.com/koshop/koshop/internal/kube"
)

// connector prepares the connection to a cluster.
type connector func() (*kube.Cluster, error)

// newPublisher returns a publisher with upstream's options. Without KO_DOCKER_REPO it
// pushes to the registry that the cluster advertises, which is returned too.
func newPublisher(ctx context.Context, opts *options.PublishOptions, compares bool, connect connector, log *progress.Log) (*publish.Publisher, registry.Registry, error) {
	push := opts.Push
	opts.Push = push || compares // To compare, images get the names that pushing would give them.
	var advertised registry.Registry
	var err error
	if connect != nil { // There is a cluster.
		advertised, err = registry.Choose(ctx, opts, connect, log)
	}
	opts.Push = push
	if err != nil {
		return nil, registry.Registry{}, err
	}
	publisher, err := publish.New(opts)
	if err != nil {
		return nil, registry.Registry{}, err
	}
	if advertised.Host != "" {
		publisher.Advise(advertised.Remedy())
	}
	return publisher, advertised, nil
}
