package doctor

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/workshop/cluster"
	"github.com/koshop/koshop/internal/workshop/report"
)

// pushed is what the image of a doctor is called. It has no layers.
const (
	pushed = "workshop-doctor"
	tag    = "latest"
)

// lookAtRegistry pushes an image as ko does, with ko's credentials, and deletes
// it. Many registries refuse the latter; it is the same few hundred bytes each
// time.
func (l Laptop) lookAtRegistry(ctx context.Context) report.Finding {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if strings.HasPrefix(l.Repository, "kind.local") || strings.HasPrefix(l.Repository, "ko.local") {
		return report.Skip("%s is no registry: ko loads images into nodes on this laptop", l.Repository)
	}
	publisher, err := publish.New(&options.PublishOptions{DockerRepo: l.Repository, Push: true, Tags: []string{tag}})
	if err != nil {
		next := cmp.Or(cluster.ReadEnvironment("KO_DOCKER_REPO"), "export KO_DOCKER_REPO, as those who give the workshop say")
		return report.Fail(next, "%v", err)
	}
	defer publisher.Close()
	const next = "go run ./cmd/ko login, or take a registry that you may push to"
	reference, err := publisher.Publish(ctx, empty.Image, "ko://"+pushed)
	if err != nil {
		saw, _, _ := strings.Cut(err.Error(), "\n") // The kit's remedy is below.
		return report.Fail(next, "%s", saw)
	}
	return report.Pass("pushed %s, %s", reference.Context(), remove(ctx, reference))
}

// remove deletes what was pushed, by its tag and by its digest, and says what
// became of it.
func remove(ctx context.Context, reference name.Reference) string {
	for _, reference := range []name.Reference{reference.Context().Tag(tag), reference} {
		if err := remote.Delete(reference, remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithContext(ctx)); err != nil {
			return "which stays there: an empty image"
		}
	}
	return "and deleted it"
}
