package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/delve"
	"github.com/koshop/koshop/internal/kit/live"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/program"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/reload"
	"github.com/koshop/koshop/internal/kube"
)

const reloadLong = `This command compiles a program as its image has it, and sends the executable into the running pods that were deployed
with the component kustomize/components/live-reload. It takes over there without a new image and without a new pod. A
program that does not compile, or that ends at once, leaves the one before running.

What is sent is the difference to what the pods have, as far as this machine sent that too.`

const reloadExample = `
  # Run what payments-svc has become in the pods that are there:
  ko reload ./cmd/payments-svc --namespace api --selector app.kubernetes.io/name=payments-svc

  # The same under Delve; then point an editor at localhost:2345:
  ko reload ./cmd/payments-svc --namespace api --selector app.kubernetes.io/name=payments-svc --debug
  kubectl --namespace api port-forward deployment/payments-svc 2345
`

// addReload adds the command that replaces a program in running pods.
func addReload(root *cobra.Command) {
	building := &options.BuildOptions{Trimpath: true, SBOM: "none"}
	r := &reloading{building: building, publishing: &options.PublishOptions{DockerRepo: os.Getenv("KO_DOCKER_REPO"), Push: true, UserAgent: "ko"}}
	selecting := &options.SelectorOptions{}
	cmd := &cobra.Command{
		Use:     "reload PROGRAM --selector LABELS",
		Short:   "Compile a program and run it in pods that are there already.",
		Long:    reloadLong,
		Example: reloadExample,
		Args:    cobra.ExactArgs(1),
	}
	options.AddSelectorArg(cmd, selecting)
	flags := cmd.Flags()
	flags.StringSliceVar(&building.Platforms, "platform", nil, "The platform of the nodes (default the first of defaultPlatforms in .ko.yaml, or linux/amd64)")
	flags.BoolVar(&r.debug, "debug", false, fmt.Sprintf("Run the program under Delve, which listens at port %d of the pod's loopback interface", live.DebugPort))
	flags.StringVar(&r.imageFile, "image-file", "", "Unless a call before has done so and the pods run, publish an image instead, for new pods; in any case write the reference of the image to this file")
	flags.StringVar(&r.depsFile, "deps-file", "", "Write what 'ko deps' prints to this file, if that has changed")
	flags.BoolP("quiet", "q", false, "Show no progress, only errors")
	connection := addConnectionFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if selecting.Selector == "" && r.imageFile == "" {
			return errors.New("--selector says in which pods the program runs, such as app.kubernetes.io/name=payments-svc")
		}
		var err error
		if r.cluster, err = kube.Connect(connection.flags, kube.BuiltIn(), nil); err != nil {
			return err
		}
		r.reference, r.selector, r.log = args[0], selecting.Selector, newProgress(cmd)
		defer r.log.Close()
		return r.run(cmd.Context())
	}
	root.AddCommand(cmd)
}

// reloading is one call of the command.
type reloading struct {
	reference  string // of the program
	selector   string
	debug      bool
	building   *options.BuildOptions
	publishing *options.PublishOptions
	cluster    *kube.Cluster
	imageFile  string
	depsFile   string
	log        *progress.Log

	tools    *process.Group
	scratch  string
	settings *program.Settings
	program  *program.Program
	compiler *compile.Compiler
}

func (r *reloading) run(ctx context.Context) error {
	return withTools(func(tools *process.Group, scratch string) (err error) {
		r.tools, r.scratch = tools, scratch
		if err := r.prepare(ctx); err != nil {
			return err
		}
		if r.imageFile == "" {
			err = r.send(ctx)
		} else {
			err = r.sendOrPublish(ctx)
		}
		return errors.Join(err, r.writeDeps(ctx))
	})
}

// prepare finds the program, by whatever name it goes.
func (r *reloading) prepare(ctx context.Context) (err error) {
	if r.settings, err = program.Load(r.building, r.tools.Run); err != nil {
		return err
	}
	if r.program, err = r.settings.Find(ctx, r.reference); err != nil {
		return err
	}
	r.compiler, err = compile.New(r.settings, r.tools, r.scratch).ForImages()
	return err
}

// send compiles the program and runs it in the pods.
func (r *reloading) send(ctx context.Context) error {
	targets, err := reload.Targets(ctx, r.cluster, r.selector)
	if err != nil {
		return err
	}
	task := r.log.Start(r.program.Name(), "compiling")
	defer task.Stop()
	parcel, err := r.parcel(ctx)
	if err != nil {
		return err
	}
	how := ""
	if r.debug {
		task.Step("preparing the debugger")
		debugger, err := r.sendDebugger(ctx, targets)
		if err != nil {
			return err
		}
		parcel.RunUnder(debugger)
		how = fmt.Sprintf(" under Delve at port %d", live.DebugPort)
	}
	task.Step("sending")
	sent, err := reload.Send(ctx, r.cluster, targets, parcel)
	if err != nil {
		return err
	}
	task.Done(fmt.Sprintf("runs in %s%s, %s sent", targets, how, kilobytes(sent)))
	return nil
}

// parcel compiles the program.
func (r *reloading) parcel(ctx context.Context) (*live.Parcel, error) {
	compiler := r.compiler.ForReload()
	if r.debug {
		compiler = r.compiler.ForDebugging()
	}
	executable := filepath.Join(r.scratch, "program")
	if err := compiler.Compile(ctx, r.reference, executable); err != nil {
		return nil, err
	}
	return live.NewParcel(executable, live.UserLibrary(r.program.ImportPath))
}

// sendDebugger brings Delve into the pods that do not have it yet.
func (r *reloading) sendDebugger(ctx context.Context, targets []reload.Target) (*live.Parcel, error) {
	for _, target := range targets {
		if target.HostNetwork {
			return nil, fmt.Errorf("pod %s has the network of its node, where anybody could use the debugger: --debug is not for such pods", target.Pod)
		}
	}
	goos, goarch := r.compiler.Platform()
	executable, err := delve.Executable(ctx, r.tools, goos, goarch)
	if err != nil {
		return nil, err
	}
	debugger, err := live.NewParcel(executable, live.UserLibrary("delve"))
	if err != nil {
		return nil, err
	}
	debugger.Keep()
	if _, err := reload.Send(ctx, r.cluster, targets, debugger); err != nil {
		return nil, fmt.Errorf("sending Delve: %w", err)
	}
	return debugger, nil
}

// kilobytes writes a number of bytes for people.
func kilobytes(n int) string {
	if n < 1e6 {
		return fmt.Sprintf("%d kB", (n+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// writeDeps comes after the rest, which people wait for. What does not compile
// has dependencies too: those in which it can be put right.
func (r *reloading) writeDeps(ctx context.Context) error {
	if r.depsFile == "" {
		return nil
	}
	roots, err := rootsOf(ctx, r.compiler, r.reference)
	if err != nil {
		return err
	}
	now := strings.Join(roots, "\n") + "\n"
	if before, err := os.ReadFile(r.depsFile); err == nil && string(before) == now {
		return nil
	}
	if err := os.WriteFile(r.depsFile, []byte(now), 0o644); err != nil {
		return fmt.Errorf("writing down what %s is made of: %w", r.program.ImportPath, err)
	}
	return nil
}
