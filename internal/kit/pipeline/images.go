package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/ko/pkg/build"
	"golang.org/x/sync/errgroup"

	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/resolve"
)

// atOnce is how many references are looked at at the same time.
const atOnce = 32

// image is what becomes of a reference.
type image struct {
	reference resolve.Reference
	program   string         // the import path, scheme included
	published name.Reference // nil until it is
	reason    string         // why it has to be built; "" if nothing is known of it
}

// makeAll builds and publishes the images of all references that are not published
// already, and returns what each is deployed by.
func (p *Pipeline) makeAll(ctx context.Context, refs []resolve.Reference) (map[string]name.Reference, error) {
	images := make([]*image, len(refs))
	for i, ref := range refs {
		images[i] = &image{reference: ref}
	}
	if err := p.check(ctx, images); err != nil {
		return nil, err
	}
	if err := p.build(ctx, images); err != nil {
		return nil, err
	}
	published := make(map[string]name.Reference, len(refs))
	p.Reasons = map[string]string{}
	for _, image := range images {
		pulled, err := p.Registry.Pulled(image.published)
		if err != nil {
			return nil, err
		}
		published[image.reference.ImportPath] = pulled
		if image.reason != "" {
			p.Reasons[pulled.String()] = image.reason
		}
	}
	return published, nil
}

// check finds the images that are published already, and refuses references that can
// never be built, before the first compilation. It says where each of them stands.
func (p *Pipeline) check(ctx context.Context, images []*image) error {
	err := each(images, func(image *image) (err error) {
		image.program, err = p.Builder.Qualify(ctx, image.reference.ImportPath)
		return err
	})
	if err != nil {
		return err
	}
	programs := make([]string, len(images))
	for i, image := range images {
		programs[i] = image.program
	}
	slices.Sort(programs)
	if err := p.Publisher.Check(slices.Compact(programs)); err != nil {
		return err
	}
	return each(images, func(image *image) error { return p.findOrCheck(ctx, image) })
}

// each calls f for all images, some at the same time.
func each(images []*image, f func(*image) error) error {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, image := range images {
		group.Go(func() error {
			if err := f(image); err != nil {
				return fmt.Errorf("%s: %w", image.reference.Uses[0], err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (p *Pipeline) findOrCheck(ctx context.Context, image *image) error {
	reference := image.reference.ImportPath
	if p.Records != nil {
		if image.published, image.reason = p.Records.Find(ctx, image.program); image.published != nil {
			p.Log.Printf("%s: unchanged %s", program.Name(reference), image.published)
			return nil
		}
	}
	return p.Builder.Check(ctx, reference)
}

// build builds and publishes; one image is pushed while the next is compiled. The first
// failure cancels the rest.
func (p *Pipeline) build(ctx context.Context, images []*image) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, image := range images {
		if image.published == nil {
			group.Go(func() error { return p.buildOne(ctx, image) })
		}
	}
	return group.Wait()
}

func (p *Pipeline) buildOne(ctx context.Context, image *image) error {
	reference := image.program
	task := p.Log.Start(program.Name(reference), "building")
	defer task.Stop()
	built, err := p.Builder.Build(ctx, reference)
	if err != nil {
		return err
	}
	if image.reason != "" {
		p.Log.Printf("%s: built: %s", program.Name(reference), image.reason)
	}
	if !p.Publisher.OnlyNames() {
		task.Step("publishing")
	}
	if image.published, err = p.Publisher.Publish(ctx, built, reference); err != nil {
		return err
	}
	if p.Publisher.OnlyNames() {
		task.Done("built " + image.published.String())
	} else {
		task.Done("published " + image.published.String())
	}
	if err := p.keep(ctx, reference, built); err != nil {
		p.Log.Printf("%s: no record is kept: %v", program.Name(reference), err)
	}
	return nil
}

func (p *Pipeline) keep(ctx context.Context, reference string, built build.Result) error {
	if p.Records == nil {
		return nil
	}
	digest, err := built.Digest()
	if err != nil {
		return err
	}
	return p.Records.Keep(ctx, reference, digest.String())
}
