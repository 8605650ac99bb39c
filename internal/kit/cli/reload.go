package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/process"
	"github.com/koshop/koshop/internal/kit/reload"
	"github.com/koshop/koshop/internal/kit/reload/wire"
	"github.com/koshop/koshop/internal/kube"
)

const reloadLong = `This command compiles a program as its image has it, and sends the executable into the running pods that were deployed
by 'ko apply -k DIRECTORY --live'. There it is started beside the one before, and takes over when it is ready, without a
new image, without a new pod and without losing a request. A program that does not compile, that ends at once or that is
never ready leaves the one before running. Pods that are starting are waited for.

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
	r := &reload.Reload{
		Building:   &options.BuildOptions{Trimpath: true, SBOM: "none"},
		Publishing: &options.PublishOptions{DockerRepo: os.Getenv("KO_DOCKER_REPO"), Push: true, UserAgent: "ko"},
	}
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
	flags.StringSliceVar(&r.Building.Platforms, "platform", nil, "The platform of the nodes (default the first of defaultPlatforms in .ko.yaml, or linux/amd64)")
	flags.BoolVar(&r.Debug, "debug", false, fmt.Sprintf("Run the program under Delve, which listens at port %d of the pod's loopback interface", wire.DebugPort))
	flags.StringVar(&r.ImageFile, "image-file", "", "Unless a call before has done so and the pods run, publish an image instead, for new pods; in any case write the reference of the image to this file")
	flags.StringVar(&r.DepsFile, "deps-file", "", "Write what 'ko deps' prints to this file, if that has changed")
	flags.DurationVar(&r.Timeout, "timeout", 2*time.Minute, "How long to wait for pods that are starting")
	flags.BoolP("quiet", "q", false, "Show no progress, only errors")
	flags.BoolVar(&r.Rebuild, rebuildFlag, false, "With --image-file, build the image even if nothing that it is made of has changed")
	flags.BoolVar(&r.NoRemoteRecord, noRemoteFlag, false, "With --image-file, neither ask the registry for an image that another machine has made of the same, nor keep a record there for it")
	connection := addConnectionFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if selecting.Selector == "" && r.ImageFile == "" {
			return errors.New("--selector says in which pods the program runs, such as app.kubernetes.io/name=payments-svc")
		}
		if r.Cluster, err = kube.Connect(connection.flags, kube.BuiltIn(), nil); err != nil {
			return err
		}
		r.Reference, r.Selector, r.Log = args[0], selecting.Selector, newProgress(cmd)
		defer r.Log.Close()
		silence() // The engine reports progress itself.
		return withTools(func(tools *process.Group, scratch string) error {
			return r.Run(cmd.Context(), tools, scratch)
		})
	}
	root.AddCommand(cmd)
}
