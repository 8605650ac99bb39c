package reload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	ko "github.com/google/ko/pkg/build"

	"github.com/koshop/koshop/internal/kit/build"
	"github.com/koshop/koshop/internal/kit/publish"
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

// publish makes an image of the program, and writes its reference down. Its tag
// is made of its digest: the same program makes no new pods.
func (r *Reload) publish(ctx context.Context) (err error) {
	task := r.Log.Start(r.program.Name(), "building")
	defer task.Stop()
	builder, err := build.New(ctx, r.settings)
	if err != nil {
		return err
	}
	importPath := ko.StrictScheme + r.program.ImportPath
	if err := builder.Check(ctx, importPath); err != nil {
		return err
	}
	built, err := builder.Build(ctx, importPath)
	if err != nil {
		return err
	}
	digest, err := built.Digest()
	if err != nil {
		return fmt.Errorf("taking the digest of %s: %w", importPath, err)
	}
	task.Step("publishing")
	// Tilt may know a registry of the cluster's, and by what name that is pulled from.
	r.Publishing.DockerRepo = cmp.Or(os.Getenv("EXPECTED_REGISTRY"), r.Publishing.DockerRepo)
	r.Publishing.TagOnly, r.Publishing.Tags = true, []string{"live-" + digest.Hex[:16]}
	publisher, err := publish.New(r.Publishing)
	if err != nil {
		return err
	}
	ref, err := publisher.Publish(ctx, built, importPath)
	if err = errors.Join(err, publisher.Close()); err != nil {
		return err
	}
	task.Done("published " + ref.String())
	for _, file := range []string{r.lastFile(), r.ImageFile} {
		if err := os.WriteFile(file, []byte(ref.String()), 0o644); err != nil {
			return fmt.Errorf("writing down the image: %w", err)
		}
	}
	if r.Selector == "" {
		return nil
	}
	// It is what the first executable that is sent will differ from.
	_, err = r.pack(ctx)
	return err
}
