// Package reuse finds the published image of a program whose inputs are still the same,
// so that it is neither compiled nor pushed again. In doubt it finds none.
package reuse

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/semaphore"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kit/record"
	"github.com/koshop/koshop/internal/kit/usercache"
)

// Images are those of one run. They may be used concurrently.
type Images struct {
	settings  *program.Settings
	bases     *base.Images
	publisher *publish.Publisher
	registry  *registry
	store     record.Store
	rebuild   bool
	remote    bool
	readOnly  bool
	run       func(*exec.Cmd) error
	look      *record.Look
	slots     *semaphore.Weighted // of those that ask the go tool

	mu     sync.Mutex
	found  map[string]*building
	tidied sync.Once
}

// building is an image that has to be built.
type building struct {
	*subject
	record *record.Record
}

// Options say how images are found.
type Options struct {
	Settings  *program.Settings
	Bases     *base.Images // the same as the builder's
	Publisher *publish.Publisher
	Rebuild   bool                  // finds none, as if nothing had been published before
	ReadOnly  bool                  // changes nothing: no tag in the registry, no record
	Remote    bool                  // keeps records in the registry too, for other machines
	Directory usercache.Directory   // of the records
	Run       func(*exec.Cmd) error // does what [exec.Cmd.Run] does, for the go tool and git
}

// New returns the images of a run that begins now: each file is read once.
func New(opts Options) (*Images, error) {
	registry, err := newRegistry(opts.Settings.Options.InsecureRegistry)
	if err != nil {
		return nil, err
	}
	return &Images{
		settings: opts.Settings, bases: opts.Bases, publisher: opts.Publisher, registry: registry, rebuild: opts.Rebuild, remote: opts.Remote, readOnly: opts.ReadOnly, run: opts.Run,
		store: record.Store{Dir: opts.Directory}, look: record.NewLook(opts.Run),
		slots: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0))), found: map[string]*building{},
	}, nil
}

// Find returns the published image of a reference, if it was built of what it would be
// built of now, and makes its tags name it. Otherwise it says in a few words why the
// image has to be built.
func (i *Images) Find(ctx context.Context, reference string) (image name.Reference, reason string) {
	s, err := i.subject(ctx, reference)
	if err != nil {
		return nil, err.Error()
	}
	former := i.store.Load(s.key)
	if former != nil && !i.rebuild && former.Holds(ctx, i.look, s.recipes, s.others) {
		if image := i.deployable(ctx, s, former); image != nil {
			return image, ""
		}
	}
	now, err := i.inputs(ctx, s)
	if unknown, ok := errors.AsType[*record.Unknown](err); ok {
		return nil, "it is built each time, because " + unknown.Reason
	}
	if err != nil {
		return nil, err.Error()
	}
	image, reason = i.compare(ctx, s, former, now)
	if image == nil {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.found[reference] = &building{s, now}
	}
	return image, reason
}

// inputs asks the go tool what an image is made of now.
func (i *Images) inputs(ctx context.Context, s *subject) (*record.Record, error) {
	if err := i.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer i.slots.Release(1)
	return record.New(ctx, i.look, s.recipes, s.others)
}

// compare returns an image that was made of the same: the former one, as after a file was
// touched that is in no image, or one that another machine has made.
func (i *Images) compare(ctx context.Context, s *subject, former, now *record.Record) (name.Reference, string) {
	if i.rebuild {
		return nil, "--rebuild"
	}
	same := former != nil && now.Inputs.Equal(former.Inputs)
	if same {
		if image := i.take(ctx, s, now, former.Image); image != nil {
			return image, ""
		}
	}
	if i.remote {
		for _, digest := range i.registry.made(ctx, s.place.Repository, now.Inputs.Hash()) {
			if !i.registry.has(ctx, s.place.Repository.Digest(digest)) {
				continue
			}
			if image := i.take(ctx, s, now, digest); image != nil {
				return image, ""
			}
		}
	}
	switch {
	case former == nil:
		return nil, "nothing is known of an image before it"
	case same:
		return nil, "its image is no longer in " + s.place.Repository.Name()
	}
	return nil, now.Inputs.Explain(former.Inputs)
}

// take returns what the image with a digest is deployed by, and records that it is made of
// what is found now.
func (i *Images) take(ctx context.Context, s *subject, now *record.Record, digest string) name.Reference {
	now.Image = digest
	image := i.deployable(ctx, s, now)
	if image != nil && !i.readOnly {
		_ = i.save(s.key, now) // It only saves time.
	}
	return image
}

// deployable returns what the image of a record is deployed by, or nil if it cannot be.
func (i *Images) deployable(ctx context.Context, s *subject, r *record.Record) name.Reference {
	if !i.registry.offer(ctx, s.place, r.Image, i.readOnly) {
		return nil
	}
	image, err := s.place.Reference(r.Image)
	if err != nil {
		return nil
	}
	return image
}

// Tag has a tag name an image that Find has returned, and returns it by that tag.
func (i *Images) Tag(ctx context.Context, image name.Digest, tag string) (name.Tag, error) {
	tagged := image.Context().Tag(tag)
	if err := i.registry.tag(ctx, image, tagged); err != nil {
		return name.Tag{}, fmt.Errorf("tagging %s: %w", image, err)
	}
	return tagged, nil
}

// Keep records that the image of a reference was published. It records nothing if
// something that Find looked at was touched since then.
func (i *Images) Keep(ctx context.Context, reference, digest string) error {
	i.mu.Lock()
	b := i.found[reference]
	i.mu.Unlock()
	if b == nil || i.readOnly || !b.place.IsPushed() || !b.record.Stands(ctx, record.NewLook(i.run), b.recipes) {
		return nil
	}
	b.record.Image = digest
	err := i.save(b.key, b.record)
	if i.remote {
		err = errors.Join(err, i.registry.keep(ctx, b.place.Repository, b.record.Inputs.Hash(), digest))
	}
	return err
}

func (i *Images) save(key record.Key, r *record.Record) error {
	i.tidied.Do(i.store.Dir.RemoveOld)
	return i.store.Save(key, r)
}
