package cli

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/compile"
	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/progress"
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
	building := &options.BuildOptions{Trimpath: true, Ldflags: []string{"-w"}}
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
	flags.BoolP("quiet", "q", false, "Show no progress, only errors")
	connection := addConnectionFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if selecting.Selector == "" {
			return errors.New("--selector says in which pods the program runs, such as app.kubernetes.io/name=payments-svc")
		}
		log := newProgress(cmd)
		defer log.Close()
		return runReload(cmd, args[0], building, selecting.Selector, connection, log)
	}
	root.AddCommand(cmd)
}

func runReload(cmd *cobra.Command, importPath string, building *options.BuildOptions, selector string, connection *connection, log *progress.Log) (err error) {
	ctx := cmd.Context()
	cluster, err := reload.Connect(connection.flags)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "ko-reload-*")
	if err != nil {
		return fmt.Errorf("making a directory to compile in: %w", err)
	}
	defer os.RemoveAll(scratch)
	tools, err := process.NewGroup()
	if err != nil {
		return err
	}
	defer tools.Close()
	compiler, err := compile.New(building, tools, scratch)
	if err != nil {
		return err
	}
	if compiler, err = compiler.ForImages(); err != nil {
		return err
	}
	task := log.Start(path.Base(importPath), "compiling")
	defer task.Stop()
	executable := filepath.Join(scratch, "program")
	if err := compiler.Compile(ctx, importPath, executable); err != nil {
		return err
	}
	task.Step("sending")
	targets, err := cluster.Targets(ctx, selector)
	if err != nil {
		return err
	}
	if err := cluster.Send(ctx, targets, executable); err != nil {
		return err
	}
	task.Done(fmt.Sprintf("runs in %s", targets))
	return nil
}
