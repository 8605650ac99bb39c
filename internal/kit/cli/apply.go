package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/plan"
	"github.com/koshop/koshop/internal/kit/progress"
	"github.com/koshop/koshop/internal/kit/reload"
	"github.com/koshop/koshop/internal/kit/resolve"
	"github.com/koshop/koshop/internal/kube"
)

const applyExample = `
  # Build and publish every import path reference of a kustomization as
  #   ${KO_DOCKER_REPO}/<command name>
  # Then, if the cluster accepts every object in a dry run, apply them.
  ko apply -k kustomize/overlays/dev

  # The same, and return when everything runs, or else put back what was there:
  ko apply -k kustomize/overlays/dev --wait --atomic

  # The same, and then delete what a former apply made and the kustomization no
  # longer has:
  ko apply -k kustomize/overlays/dev --prune --atomic

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
	extendSend(cmd, plan.Apply)
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
	extendSend(cmd, plan.Create)
}

// extendSend gives a command that ends in a cluster its -k and the flags of it.
func extendSend(cmd *cobra.Command, verb plan.Verb) {
	opts := addSendFlags(cmd, verb)
	addLive(cmd)
	connection := addConnectionFlags(cmd)
	output := addOutputFlag(cmd)
	passConnection(cmd)
	addKustomize(cmd, func(cmd *cobra.Command, dir string, args []string) (err error) {
		log := newProgress(cmd)
		defer log.Close()
		report, err := output.report(cmd, log)
		if err != nil {
			return err
		}
		defer func() { output.fails(report, err) }()
		if err := opts.settle(cmd, log); err != nil {
			return err
		}
		if opts.set != nil {
			if err := opts.join(cmd, dir); err != nil {
				return err
			}
		}
		cluster, err := connection.connect(args, log)
		if err != nil {
			return err
		}
		manifests, _, err := release(cmd.Context(), cmd, dir, func() (*kube.Cluster, error) { return cluster, nil }, log)
		if err != nil {
			return err
		}
		objects, err := decode(manifests)
		if err != nil {
			return err
		}
		if verb == plan.Apply {
			if opts.Accepted, err = reload.Fresh(cmd.Context(), cluster, objects); err != nil {
				return err
			}
		}
		opts.Set.OnlyHere = isNamespaceGiven(cmd)
		return apply.Send(cmd.Context(), cluster, objects, opts.Options, log, report)
	})
}

// sendFlags say what a command may do to a cluster, and whether it waits.
type sendFlags struct {
	apply.Options
	set *setFlag // nil where objects are in no set
}

// addSendFlags adds flags that go with -k only: with -f, kubectl's own stand after "--".
func addSendFlags(cmd *cobra.Command, verb plan.Verb) *sendFlags {
	f := &sendFlags{}
	f.Verb = verb
	names := []string{"wait", "timeout", "atomic"}
	cmd.Flags().BoolVar(&f.Wait, "wait", false, "With -k, return only when everything is ready, and fail as soon as it is certain that it will not be; the default on a terminal")
	cmd.Flags().DurationVar(&f.Timeout, "timeout", 5*time.Minute, "With -k, how long to wait")
	cmd.Flags().BoolVar(&f.Atomic, "atomic", false, "With -k, if not everything gets ready, put back what was there before")
	if verb == plan.Apply {
		cmd.Flags().BoolVar(&f.ForceConflicts, "force-conflicts", false, "With -k, take fields that other managers own")
		cmd.Flags().BoolVar(&f.Replace, "replace", false, "With -k, delete objects that cannot be changed as wanted, such as Jobs, and make them anew")
		cmd.Flags().BoolVar(&f.Prune, "prune", false, "With -k, delete what a former apply of this kustomization made and this one no longer has, once everything else is ready")
		names = append(names, "force-conflicts", "replace", "prune")
		f.set = addSetFlag(cmd)
	}
	onlyWithKustomize(cmd, names...)
	return f
}

// settle decides whether to wait: somebody who looks at a terminal wants to see what
// becomes of it.
func (f *sendFlags) settle(cmd *cobra.Command, log *progress.Log) error {
	if !cmd.Flags().Changed("wait") {
		f.Wait = f.Atomic || f.Prune || log.Live()
	}
	switch {
	case f.Prune && !f.Wait:
		return errors.New("--prune waits: it cannot be used with --wait=false")
	case f.Atomic && !f.Wait:
		return errors.New("--atomic waits: it cannot be used with --wait=false")
	case cmd.Flags().Changed("timeout") && !f.Wait:
		return errors.New("--timeout goes with --wait")
	case f.Timeout <= 0:
		return fmt.Errorf("--timeout %s: it has to be longer than nothing, such as 5m", f.Timeout)
	}
	return nil
}

// join finds out which set the objects of a kustomization belong to.
func (f *sendFlags) join(cmd *cobra.Command, dir string) (err error) {
	f.Set, err = f.set.setToPrune(cmd, dir, f.Prune)
	return err
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
