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

// image is what becomes of references to one program.
type image struct {
	references []string       // as the user has them
	where      string         // the first of them stands, "" if the user gave it to the command
	program    string         // the import path, scheme included
	published  name.Reference // nil until it is
	reason     string         // why it has to be built; "" if nothing is known of it
}

// name is what people call the image.
func (i *image) name() string { return program.Name(i.program) }

// makeAll makes the images of all references that stand in manifests, and returns what
// each is deployed by.
func (p *Pipeline) makeAll(ctx context.Context, refs []resolve.Reference) (map[string]name.Reference, error) {
	images := make([]*image, len(refs))
	for i, ref := range refs {
		images[i] = &image{references: []string{ref.ImportPath}, where: ref.Uses[0].String()}
	}
	return p.produce(ctx, images)
}

// Images builds and publishes the images of references that stand in no manifest, such as
// ./cmd/web, and returns what each is deployed by.
func (p *Pipeline) Images(ctx context.Context, refs []string) (map[string]name.Reference, error) {
	return p.produce(ctx, newImages(refs))
}

// Explanation says why an image would be built.
type Explanation struct {
	Name   string // that people call the image by
	Reason string // in a few words; "" if it would not be built
}

// Explain explains the images of references. It builds nothing.
func (p *Pipeline) Explain(ctx context.Context, refs []string) ([]Explanation, error) {
	images, err := p.check(ctx, newImages(refs))
	if err != nil {
		return nil, err
	}
	all := make([]Explanation, len(images))
	for i, image := range images {
		all[i] = Explanation{image.name(), image.reason}
	}
	return all, nil
}

func newImages(refs []string) []*image {
	images := make([]*image, len(refs))
	for i, ref := range refs {
		images[i] = &image{references: []string{ref}}
	}
	return images
}

// produce builds and publishes images that are not published already, and returns what each is deployed by.
func (p *Pipeline) produce(ctx context.Context, images []*image) (map[string]name.Reference, error) {
	images, err := p.check(ctx, images)
	if err != nil {
		return nil, err
	}
	if err := p.build(ctx, images); err != nil {
		return nil, err
	}
	published := map[string]name.Reference{}
	p.Reasons = map[string]string{}
	for _, image := range images {
		pulled, err := p.Registry.Pulled(image.published)
		if err != nil {
			return nil, err
		}
		for _, reference := range image.references {
			published[reference] = pulled
		}
		if image.reason != "" {
			p.Reasons[pulled.String()] = image.reason
		}
	}
	return published, nil
}

// check finds the images that are published already, and refuses references that can
// never be built, before the first compilation. It says where each of them stands. It
// returns one image for each program, however many names that goes by.
func (p *Pipeline) check(ctx context.Context, images []*image) ([]*image, error) {
	err := each(images, func(image *image) (err error) {
		image.program, err = p.Builder.Qualify(ctx, image.references[0])
		return err
	})
	if err != nil {
		return nil, err
	}
	images = merge(images)
	programs := make([]string, len(images))
	for i, image := range images {
		programs[i] = image.program
	}
	slices.Sort(programs)
	if err := p.Publisher.Check(programs); err != nil {
		return nil, err
	}
	return images, each(images, func(image *image) error { return p.findOrCheck(ctx, image) })
}

// merge returns one image for each program, in the same order.
func merge(images []*image) []*image {
	var merged []*image
	of := map[string]*image{}
	for _, image := range images {
		if first := of[image.program]; first != nil {
			first.references = append(first.references, image.references...)
			continue
		}
		of[image.program] = image
		merged = append(merged, image)
	}
	return merged
}

// each calls f for all images, some at the same time.
func each(images []*image, f func(*image) error) error {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, image := range images {
		group.Go(func() error {
			err := f(image)
			if err != nil && image.where != "" {
				return fmt.Errorf("%s: %w", image.where, err)
			}
			return err
		})
	}
	return group.Wait()
}

func (p *Pipeline) findOrCheck(ctx context.Context, image *image) error {
	if p.Records != nil {
		if image.published, image.reason = p.Records.Find(ctx, image.program); image.published != nil {
			p.Log.Printf("%s: unchanged %s", image.name(), image.published)
			return nil
		}
	}
	return p.Builder.Check(ctx, image.program)
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
	task := p.Log.Start(image.name(), "building")
	defer task.Stop()
	built, err := p.Builder.Build(ctx, image.program)
	if err != nil {
		return err
	}
	if image.reason != "" {
		p.Log.Printf("%s: built: %s", image.name(), image.reason)
	}
	if !p.Publisher.OnlyNames() {
		task.Step("publishing")
	}
	if image.published, err = p.Publisher.Publish(ctx, built, image.program); err != nil {
		return err
	}
	if p.Publisher.OnlyNames() {
		task.Done("built " + image.published.String())
	} else {
		task.Done("published " + image.published.String())
	}
	if err := p.keep(ctx, image.program, built); err != nil {
		p.Log.Printf("%s: no record is kept: %v", image.name(), err)
	}
	return nil
}

func (p *Pipeline) keep(ctx context.Context, program string, built build.Result) error {
	if p.Records == nil {
		return nil
	}
	digest, err := built.Digest()
	if err != nil {
		return err
	}
	return p.Records.Keep(ctx, program, digest.String())
}
