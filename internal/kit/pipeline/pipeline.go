// Package pipeline joins the stages that need no cluster: a kustomization goes
// in, manifests with published images come out.
package pipeline

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/build"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kit/registry"
	"github.com/koshop/koshop/internal/kit/render"
	"github.com/koshop/koshop/internal/kit/resolve"
)

// Builder makes the images of references.
type Builder interface {
	// Qualify returns the import path, scheme included, of the program that a
	// reference names.
	Qualify(ctx context.Context, reference string) (string, error)
	// Check says why a reference can never become an image.
	Check(ctx context.Context, reference string) error
	// Build makes the image. It may be called concurrently.
	Build(ctx context.Context, reference string) (build.Result, error)
}

// Records say which images are published already.
type Records interface {
	// Find returns the published image of a reference, if it was built of what it would
	// be built of now. Otherwise it says in a few words why the image has to be built.
	Find(ctx context.Context, reference string) (image name.Reference, reason string)
	// Keep records that the image of a reference was published, if it was built of
	// what Find saw.
	Keep(ctx context.Context, reference, digest string) error
}

// Pipeline is what a run works with.
type Pipeline struct {
	Builder   Builder
	Publisher *publish.Publisher
	Records   Records // nil has every image built
	Render    render.Options
	// Change changes what is rendered before anything is built; nil changes nothing.
	Change   func(manifests []byte) ([]byte, error)
	Selector labels.Selector // nil selects every object

	// Reasons is filled by Run: why images were built, by what they are deployed by.
	Reasons map[string]string
	// Registry says by which name the nodes pull what is published; the zero value, by
	// the same.
	Registry registry.Registry
	Log      *progress.Log
}

// Run renders the kustomization at target, builds and publishes every image it
// refers to, and returns its manifests with the published references in them.
// It returns no manifests unless every image is published.
func (p *Pipeline) Run(ctx context.Context, target string) (*resolve.Manifests, error) {
	opts := p.Render
	opts.Note = func(note string) { p.Log.Printf("%s", note) }
	manifests, err := renderAnd(p.Change, target, opts, p.Selector)
	if err != nil {
		return nil, err
	}
	refs := manifests.References()
	p.Log.Printf("rendered %s: %s, %s", target, count(manifests.Len(), "object"), count(len(refs), "image"))
	images, err := p.makeAll(ctx, refs)
	if err != nil {
		return nil, err
	}
	if err := manifests.Replace(images); err != nil {
		return nil, err
	}
	return manifests, nil
}

// Render returns the manifests of the kustomization at target that the
// selector, if there is one, matches; references stay as they are.
func Render(target string, opts render.Options, selector labels.Selector) (*resolve.Manifests, error) {
	return renderAnd(nil, target, opts, selector)
}

func renderAnd(change func([]byte) ([]byte, error), target string, opts render.Options, selector labels.Selector) (*resolve.Manifests, error) {
	stream, err := render.Kustomization(target, opts)
	if err == nil && change != nil {
		stream, err = change(stream)
	}
	if err != nil {
		return nil, err
	}
	manifests, err := resolve.Parse(stream)
	if err != nil {
		return nil, fmt.Errorf("rendering kustomization %s: %w", target, err)
	}
	if selector != nil {
		if err := manifests.Select(selector); err != nil {
			return nil, err
		}
	}
	return manifests, nil
}

// count reads "1 image" or "5 images".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
