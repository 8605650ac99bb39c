package carrier

import (
	"context"
	"os/exec"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/build"

	"github.com/koshop/koshop/internal/kit/pipeline"
)

// Builder makes the image of the supervisor itself, and has the embedded one make the others.
type Builder struct {
	pipeline.Builder
	Run       func(*exec.Cmd) error // runs the go tool
	Platforms []string
	// Built is called with each image that is built, and the import path of its
	// program. It may be nil.
	Built func(importPath string, image build.Result)
}

// Qualify returns the import path, scheme included, of the program that a reference
// names.
func (b *Builder) Qualify(ctx context.Context, path string) (string, error) {
	if path == Reference {
		return path, nil
	}
	return b.Builder.Qualify(ctx, path)
}

// Check says why an import path cannot become an image.
func (b *Builder) Check(ctx context.Context, path string) error {
	if path == Reference {
		_, err := parse(b.Platforms)
		return err
	}
	return b.Builder.Check(ctx, path)
}

// Build makes an image.
func (b *Builder) Build(ctx context.Context, path string) (build.Result, error) {
	if path == Reference {
		return Image(ctx, b.Run, b.Platforms)
	}
	image, err := b.Builder.Build(ctx, path)
	if err == nil && b.Built != nil {
		if name, err := b.Builder.Qualify(ctx, path); err == nil {
			b.Built(strings.TrimPrefix(name, build.StrictScheme), image)
		}
	}
	return image, err
}

// Records has the image of the supervisor made each time: it is in this program.
type Records struct{ pipeline.Records }

// Find returns the published image of a reference, if it need not be built.
func (r Records) Find(ctx context.Context, reference string) (image name.Reference, reason string) {
	if reference == Reference {
		return nil, ""
	}
	return r.Records.Find(ctx, reference)
}
