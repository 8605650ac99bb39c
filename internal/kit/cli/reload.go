package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/build"
	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/publish"
	"github.com/koshop/koshop/internal/kit/reload"
)

const reloadLong = `This command compiles a program as its image has it, and sends the executable into the running pods that were deployed
with the component kustomize/components/live-reload. It takes over there without a new image and without a new pod. A
program that does not compile, or that ends at once, leaves the one before running.`

const reloadExample = `
  # Run what payments-svc has become in the pods that are there:
  ko reload ./cmd/payments-svc --namespace api --selector app.kubernetes.io/name=payments-svc
`

// addReload adds the command that replaces a program in running pods.
func addReload(root *cobra.Command) {
	building := &options.BuildOptions{Trimpath: true, Ldflags: []string{"-w"}, SBOM: "none"}
	r := &reloading{building: building, publishing: &options.PublishOptions{DockerRepo: os.Getenv("KO_DOCKER_REPO"), Push: true, UserAgent: "ko"}}
	selecting := &options.SelectorOptions{}
	cmd := &cobra.Command{
		Use:     "reload IMPORTPATH --selector LABELS",
		Short:   "Compile a program and run it in pods that are there already.",
		Long:    reloadLong,
		Example: reloadExample,
		Args:    cobra.ExactArgs(1),
	}
	options.AddSelectorArg(cmd, selecting)
	flags := cmd.Flags()
	flags.StringSliceVar(&building.Platforms, "platform", nil, "The platform of the nodes (default the first of defaultPlatforms in .ko.yaml, or linux/amd64)")
	flags.StringSliceVar(&building.Ldflags, "ldflags", building.Ldflags, "ldflags to pass to go build; the default links fastest")
	flags.StringVar(&r.imageFile, "image-file", "", "Unless a call before has done so and the pods run, publish an image instead, for new pods; in any case write the reference of the image to this file")
	flags.StringVar(&r.depsFile, "deps-file", "", "Write what 'ko deps' prints to this file, if that has changed")
	flags.BoolP("quiet", "q", false, "Show no progress, only errors")
	connection := addConnectionFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if selecting.Selector == "" && r.imageFile == "" {
			return errors.New("--selector says in which pods the program runs, such as app.kubernetes.io/name=payments-svc")
		}
		cluster, err := reload.Connect(connection.flags)
		if err != nil {
			return err
		}
		r.importPath, r.selector, r.log = args[0], selecting.Selector, newProgress(cmd)
		defer r.log.Close()
		return errors.Join(r.run(cmd.Context(), cluster), r.writeDeps(cmd.Context()))
	}
	root.AddCommand(cmd)
}

// reloading is one call of the command.
type reloading struct {
	importPath string
	selector   string
	building   *options.BuildOptions
	publishing *options.PublishOptions
	imageFile  string
	depsFile   string
	log        *progress.Log
}

func (r *reloading) run(ctx context.Context, cluster *reload.Cluster) error {
	if r.imageFile == "" {
		targets, err := cluster.Targets(ctx, r.selector)
		if err != nil {
			return err
		}
		return r.send(ctx, cluster, targets)
	}
	if ref, err := os.ReadFile(r.lastFile()); err == nil && r.selector != "" {
		if targets, err := cluster.Targets(ctx, r.selector); err == nil {
			return errors.Join(r.send(ctx, cluster, targets), os.WriteFile(r.imageFile, ref, 0o644))
		}
	}
	return r.publish(ctx)
}

// writeDeps comes after the rest, which people wait for. What does not compile
// has dependencies too: those in which it can be put right.
func (r *reloading) writeDeps(ctx context.Context) error {
	if r.depsFile == "" {
		return nil
	}
	return withCompiler(r.building, func(compiler *compile.Compiler, _ string) error {
		roots, err := rootsOf(ctx, compiler, r.importPath)
		if err != nil {
			return err
		}
		now := strings.Join(roots, "\n") + "\n"
		if before, err := os.ReadFile(r.depsFile); err == nil && string(before) == now {
			return nil
		}
		if err := os.WriteFile(r.depsFile, []byte(now), 0o644); err != nil {
			return fmt.Errorf("writing down what %s is made of: %w", r.importPath, err)
		}
		return nil
	})
}

// lastFile remembers the image of the pods: Tilt removes the other one before
// each call.
func (r *reloading) lastFile() string { return r.imageFile + ".last" }

// send compiles the program and runs it in the targets.
func (r *reloading) send(ctx context.Context, cluster *reload.Cluster, targets []reload.Target) error {
	return withCompiler(r.building, func(compiler *compile.Compiler, scratch string) error {
		task := r.log.Start(path.Base(r.importPath), "compiling")
		defer task.Stop()
		executable := filepath.Join(scratch, "program")
		if err := compiler.Compile(ctx, r.importPath, executable); err != nil {
			return err
		}
		task.Step("sending")
		if err := cluster.Send(ctx, targets, executable); err != nil {
			return err
		}
		task.Done(fmt.Sprintf("runs in %s", targets))
		return nil
	})
}

// publish makes an image of the program, and writes its reference down. Its tag
// is made of its digest: the same program makes no new pods.
func (r *reloading) publish(ctx context.Context) (err error) {
	task := r.log.Start(path.Base(r.importPath), "building")
	defer task.Stop()
	silence()
	image := *r.building
	image.Ldflags = nil
	builder, err := build.New(ctx, &image)
	if err != nil {
		return err
	}
	importPath, err := builder.Qualify(r.importPath)
	if err != nil {
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
	r.publishing.TagOnly, r.publishing.Tags = true, []string{"live-" + digest.Hex[:16]}
	publisher, err := publish.New(r.publishing)
	if err != nil {
		return err
	}
	ref, err := publisher.Publish(ctx, built, importPath)
	if err = errors.Join(err, publisher.Close()); err != nil {
		return err
	}
	task.Done("published " + ref.String())
	for _, file := range []string{r.lastFile(), r.imageFile} {
		if err := os.WriteFile(file, []byte(ref.String()), 0o644); err != nil {
			return fmt.Errorf("writing down the image: %w", err)
		}
	}
	return nil
}
