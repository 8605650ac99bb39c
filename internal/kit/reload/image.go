package reload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	ko "github.com/google/ko/pkg/build"
	"github.com/google/ko/pkg/commands/options"

	"github.com/koshop/koshop/internal/kit/base"
	"github.com/koshop/koshop/internal/kit/build"
	"github.com/koshop/koshop/internal/kit/pipeline"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kit/record"
	"github.com/koshop/koshop/internal/kit/registry"
	"github.com/koshop/koshop/internal/kit/reload/carrier"
	"github.com/koshop/koshop/internal/kit/reuse"
	"github.com/koshop/koshop/internal/kube"
)

// runOrPublish is for a program that deploys what it is given an image of, such
// as Tilt: there is an image first, and once its pods run there is no other. The
// name of the same image makes no new pods.
func (r *Reload) runOrPublish(ctx context.Context) error {
	ref, err := os.ReadFile(r.lastFile())
	if err != nil || r.Selector == "" {
		return r.publish(ctx)
	}
	err = r.runInPods(ctx)
	if _, none := errors.AsType[*NoTargetsError](err); none {
		return r.publish(ctx)
	}
	return errors.Join(err, os.WriteFile(r.ImageFile, ref, 0o644))
}

// lastFile remembers the image of the pods: Tilt removes the other one before
// each call.
func (r *Reload) lastFile() string { return r.ImageFile + ".last" }

// publish makes an image of the program, unless there is one of the same, and writes its
// reference down.
func (r *Reload) publish(ctx context.Context) error {
	advertised, err := r.advertised(ctx)
	if err != nil {
		return err
	}
	r.Publishing.DockerRepo = cmp.Or(os.Getenv(tiltsRegistry), r.Publishing.DockerRepo)
	ref, isNew, err := r.makeImage(ctx)
	if err != nil {
		return err
	}
	if ref, err = advertised.Pulled(ref); err != nil {
		return err
	}
	if err := writeReference(ref, r.lastFile(), r.ImageFile); err != nil {
		return err
	}
	if r.Selector == "" {
		return nil
	}
	if isNew { // It is compiled, and what the first executable that is sent will differ from.
		packed, err := r.pack(ctx)
		if err != nil {
			return err
		}
		packed.Remember()
	}
	return r.returnTo(ctx, ref)
}

// makeImage returns the image of the program, and whether it had to be built.
func (r *Reload) makeImage(ctx context.Context) (ref name.Reference, isNew bool, err error) {
	importPath := ko.StrictScheme + r.program.ImportPath
	bases, err := base.New(ctx, r.settings.Options.InsecureRegistry)
	if err != nil {
		return nil, false, err
	}
	images, err := r.images(bases)
	if err != nil {
		return nil, false, err
	}
	found, reason := images.Find(ctx, importPath)
	if digest, ok := found.(name.Digest); ok {
		tag, err := images.Tag(ctx, digest, tagOf(digest.DigestStr()))
		if err == nil {
			r.Log.Printf("%s: unchanged %s", r.program.Name(), tag)
			return tag, false, nil
		}
		reason = err.Error()
	}
	builder, err := build.New(ctx, r.settings, bases)
	if err != nil {
		return nil, false, err
	}
	task := r.Log.Start(r.program.Name(), "building")
	defer task.Stop()
	ref, digest, err := publishImage(ctx, builder, importPath, r.Publishing, task)
	if err != nil {
		return nil, false, err
	}
	r.Log.Printf("%s: built: %s", r.program.Name(), reason)
	if err := images.Keep(ctx, importPath, digest); err != nil {
		r.Log.Printf("%s: no record is kept: %v", r.program.Name(), err)
	}
	return ref, true, nil
}

// images returns the images that are published already. They have no tags here: that of
// each is made of its digest.
func (r *Reload) images(bases *base.Images) (*reuse.Images, error) {
	publishing := *r.Publishing
	publishing.TagOnly, publishing.Tags = false, nil
	publisher, err := publish.New(&publishing)
	if err != nil {
		return nil, err
	}
	return reuse.New(reuse.Options{
		Settings: r.settings, Bases: bases, Publisher: publisher, Rebuild: r.Rebuild, Remote: !r.NoRemoteRecord, Directory: record.UserDirectory(), Run: r.tools.Run,
	})
}

// tiltsRegistry is the variable in which Tilt passes the registry that it chose: the one
// that the cluster advertises, or else its Tiltfile's.
const tiltsRegistry = "EXPECTED_REGISTRY"

// advertised chooses the registry of the cluster, unless something else says where the
// image goes.
func (r *Reload) advertised(ctx context.Context) (registry.Registry, error) {
	if os.Getenv(tiltsRegistry) != "" {
		return registry.Registry{}, nil
	}
	return registry.Choose(ctx, r.Publishing, func() (*kube.Cluster, error) { return r.Cluster, nil }, r.Log)
}

// returnTo has pods that have an image already, and so stay, run its program again:
// before, something else may have been sent to them.
func (r *Reload) returnTo(ctx context.Context, image name.Reference) error {
	found, err := find(ctx, r.Cluster, r.Selector, r.program.ImportPath)
	if err != nil {
		r.Log.Printf("pods that are there already go on with what they run: %v", err)
		return nil // The image is published, which is what was asked for.
	}
	same := slices.DeleteFunc(found.running, func(t target) bool {
		return !strings.HasSuffix(t.reference, ":"+image.Identifier())
	})
	if len(same) == 0 {
		r.forget(ctx)
		return nil
	}
	packed, err := r.pack(ctx)
	if err != nil {
		return err
	}
	packed.Remember()
	sent := transferAll(ctx, r.Cluster, same, packed, nil)
	for i, each := range sent {
		same[i] = each.target // With what its image has.
	}
	return errors.Join(problems(sent), r.record(ctx, packed, same))
}

// PublishSupervisor makes the image of the supervisor, and writes its reference to a
// file. Tools are run by run.
func PublishSupervisor(ctx context.Context, building *options.BuildOptions, publishing *options.PublishOptions, file string, run func(*exec.Cmd) error, log *progress.Log) error {
	settings, err := program.Load(building, run)
	if err != nil {
		return err
	}
	task := log.Start("live-reload", "building")
	defer task.Stop()
	builder := &carrier.Builder{Run: run, Platforms: settings.ImagePlatforms()}
	publishing.DockerRepo = cmp.Or(os.Getenv(tiltsRegistry), publishing.DockerRepo)
	ref, _, err := publishImage(ctx, builder, carrier.Reference, publishing, task)
	if err != nil {
		return err
	}
	return writeReference(ref, file)
}

// tagOf makes the tag of an image of its digest: the same program makes no new pods.
func tagOf(digest string) string { return "live-" + strings.TrimPrefix(digest, "sha256:")[:16] }

// publishImage makes an image and publishes it by the tag of its digest.
func publishImage(ctx context.Context, builder pipeline.Builder, importPath string, publishing *options.PublishOptions, task *progress.Task) (ref name.Reference, digest string, err error) {
	if err := builder.Check(ctx, importPath); err != nil {
		return nil, "", err
	}
	built, err := builder.Build(ctx, importPath)
	if err != nil {
		return nil, "", err
	}
	hash, err := built.Digest()
	if err != nil {
		return nil, "", fmt.Errorf("taking the digest of %s: %w", importPath, err)
	}
	task.Step("publishing")
	publishing.TagOnly, publishing.Tags = true, []string{tagOf(hash.String())}
	publisher, err := publish.New(publishing)
	if err != nil {
		return nil, "", err
	}
	ref, err = publisher.Publish(ctx, built, importPath)
	if err = errors.Join(err, publisher.Close()); err != nil {
		return nil, "", err
	}
	task.Done("published " + ref.String())
	return ref, hash.String(), nil
}

func writeReference(ref name.Reference, files ...string) error {
	for _, file := range files {
		if err := os.WriteFile(file, []byte(ref.String()), 0o644); err != nil {
			return fmt.Errorf("writing down the image: %w", err)
		}
	}
	return nil
}
