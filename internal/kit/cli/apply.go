package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/apply/readiness"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/resolve"
	"github.com/koshop/koshop/internal/kube"
)

const applyExample = `
  # Build and publish every import path reference of a kustomization as
  #   ${KO_DOCKER_REPO}/<command name>
  # Then, if the cluster accepts every object in a dry run, apply them.
  ko apply -k kustomize/overlays/dev

  # The same, and return when everything runs:
  ko apply -k kustomize/overlays/dev --wait

  # Apply it to another namespace, as if its kustomization file named that one:
  ko apply -k kustomize/overlays/dev --namespace team1

  # With -k, the flags after '--' say which cluster, as kubectl's do:
  ko apply -k kustomize/overlays/dev -- --context=kind-kind
`

// extendApply adds -k to upstream's apply.
func extendApply(root *cobra.Command) {
	cmd := command(root, "apply")
	cmd.Long += kustomizeLong + "applied by the API server, once it has accepted all of them in a dry run. Fields that kubectl set before are taken over; those of other managers are conflicts."
	cmd.Example += applyExample
	extendSend(cmd, "applying", plan.Apply)
}

const createExample = `
  # Build and publish every import path reference of a kustomization, then
  # create its objects; one that exists already is an error:
  ko create -k kustomize/overlays/dev
`

// extendCreate adds -k to upstream's create.
func extendCreate(root *cobra.Command) {
	cmd := command(root, "create")
	cmd.Long += kustomizeLong + "created, once the API server has accepted all of them in a dry run."
	cmd.Example += createExample
	extendSend(cmd, "creating", plan.Create)
}

// extendSend gives a command that ends in a cluster its -k and the flags of it.
func extendSend(cmd *cobra.Command, doing string, verb plan.Verb) {
	opts := addSendFlags(cmd, verb)
	connection := addConnectionFlags(cmd)
	waiting := addWaitFlags(cmd)
	passConnection(cmd)
	addKustomize(cmd, func(cmd *cobra.Command, dir string, args []string) error {
		if cmd.Flags().Changed("timeout") && !waiting.wait {
			return errors.New("--timeout goes with --wait")
		}
		log := newProgress(cmd)
		defer log.Close()
		cluster, err := connection.connect(args, log)
		if err != nil {
			return err
		}
		manifests, err := release(cmd.Context(), cmd, dir, log)
		if err != nil {
			return err
		}
		objects, err := decode(manifests)
		if err != nil {
			return err
		}
		task := log.Start(cluster.Host(), doing)
		err = apply.Send(cmd.Context(), cluster, objects, *opts, log, printer(cmd, log))
		task.Stop()
		if err != nil || !waiting.wait {
			return err
		}
		return readiness.Wait(cmd.Context(), cluster, objects, waiting.timeout, log)
	})
}

// addSendFlags adds the flags that say what a command may do to objects that are
// there. They go with -k only: with -f, kubectl's own stand after "--".
func addSendFlags(cmd *cobra.Command, verb plan.Verb) *plan.Options {
	opts := &plan.Options{Verb: verb}
	if verb == plan.Apply {
		cmd.Flags().BoolVar(&opts.ForceConflicts, "force-conflicts", false, "With -k, take fields that other managers own")
		cmd.Flags().BoolVar(&opts.Replace, "replace", false, "With -k, delete objects that cannot be changed as wanted, such as Jobs, and make them anew")
		onlyWithKustomize(cmd, "force-conflicts", "replace")
	}
	return opts
}

// decode returns the objects of manifests, of which there must be some.
func decode(manifests *resolve.Manifests) ([]kube.Object, error) {
	stream, err := manifests.YAML()
	if err != nil {
		return nil, err
	}
	objects, err := kube.Decode(stream)
	if err == nil && len(objects) == 0 {
		err = errors.New("no objects: the kustomization is empty, or the selector matches nothing in it")
	}
	return objects, err
}

// waitFlags say whether and how long to wait after sending.
type waitFlags struct {
	wait    bool
	timeout time.Duration
}

// addWaitFlags adds --wait and --timeout, which go with -k only: with -f, what
// kubectl should do stands after "--".
func addWaitFlags(cmd *cobra.Command) *waitFlags {
	f := &waitFlags{}
	cmd.Flags().BoolVar(&f.wait, "wait", false, "With -k, return only when everything is ready, and fail if it is not in time")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "With -k --wait, how long to wait")
	onlyWithKustomize(cmd, "wait", "timeout")
	return f
}

// onlyWithKustomize refuses flags where upstream runs, and kubectl is what they would
// have to be passed on to.
func onlyWithKustomize(cmd *cobra.Command, names ...string) {
	upstream := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, name := range names {
			if cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s goes with -k: with -f, pass kubectl's flags after \"--\"", name)
			}
		}
		return upstream(cmd, args)
	}
}

// printer writes a line for each object, as kubectl does.
func printer(cmd *cobra.Command, log *progress.Log) apply.Report {
	return func(o apply.Outcome) { log.Result(cmd.OutOrStdout(), "%s %s", o.Object, o.Action) }
}
