// Package pipeline joins the stages that need no cluster: a kustomization goes
// in, manifests with published images come out.
package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/build"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/publish"
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

// Pipeline is what a run works with.
type Pipeline struct {
	Builder   Builder
	Publisher *publish.Publisher
	Render    render.Options
	// Change changes what is rendered before anything is built; nil changes nothing.
	Change   func(manifests []byte) ([]byte, error)
	Selector labels.Selector // nil selects every object
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
	if err := p.check(ctx, refs); err != nil {
		return nil, err
	}
	images, err := p.images(ctx, refs)
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

// check refuses references that can never be built, before the first
// compilation, and says where each stands.
func (p *Pipeline) check(ctx context.Context, refs []resolve.Reference) error {
	programs := make([]string, len(refs))
	var group errgroup.Group
	for i, ref := range refs {
		group.Go(func() (err error) {
			if programs[i], err = p.Builder.Qualify(ctx, ref.ImportPath); err == nil {
				err = p.Builder.Check(ctx, ref.ImportPath)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", ref.Uses[0], err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	slices.Sort(programs)
	return p.Publisher.Check(slices.Compact(programs))
}

// images builds and publishes all references; one image is pushed while the
// next is compiled. The first failure cancels the rest.
func (p *Pipeline) images(ctx context.Context, refs []resolve.Reference) (map[string]name.Reference, error) {
	published := make([]name.Reference, len(refs))
	group, ctx := errgroup.WithContext(ctx)
	for i, ref := range refs {
		group.Go(func() (err error) {
			published[i], err = p.image(ctx, ref.ImportPath)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	images := make(map[string]name.Reference, len(refs))
	for i, ref := range refs {
		images[ref.ImportPath] = published[i]
	}
	return images, nil
}

func (p *Pipeline) image(ctx context.Context, importPath string) (name.Reference, error) {
	task := p.Log.Start(program.Name(importPath), "building")
	defer task.Stop()
	image, err := p.Builder.Build(ctx, importPath)
	if err != nil {
		return nil, err
	}
	task.Step("publishing")
	ref, err := p.Publisher.Publish(ctx, image, importPath)
	if err != nil {
		return nil, err
	}
	task.Done("published " + ref.String())
	return ref, nil
}

// count reads "1 image" or "5 images".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
