package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/apply/diff"
	"github.com/koshop/koshop/internal/kit/reload"
	"github.com/koshop/koshop/internal/kube"
)

const diffLong = `This command prints what 'ko apply -k DIRECTORY' would change in the cluster with the same flags, as 'kubectl diff' prints it.
The images are built, since their digests are a part of the objects, but not published, and all that the API server is sent are
dry runs. The values of Secrets are not shown.

The exit status is 0 if nothing would change, 1 if something would, and 2 if there was an error, which includes what
'ko apply' would be refused for.`

const diffExample = `
  # Print what would change in the cluster:
  ko diff -k kustomize/overlays/dev

  # The same with what --prune would delete:
  ko diff -k kustomize/overlays/dev --prune

  # The same for programs:
  ko diff -q -k kustomize/overlays/dev -o json
`

// The exit statuses of diff, which are those of kubectl's.
const (
	exitDiffers = 1
	exitFailed  = 2
)

// errDiffers is how the command ends if something would change. It is no mistake, and
// is not printed.
var errDiffers = errors.New("there are differences")

// diffFlags are the values of the flags of diff.
type diffFlags struct {
	apply.Options
	set        *setFlag
	form       string
	connection *connection
}

// addDiff adds the command that shows what apply would change.
func addDiff(root *cobra.Command) {
	cmd := &cobra.Command{
		Use:     "diff -k DIRECTORY",
		Short:   "Print what applying a kustomization would change.",
		Long:    diffLong,
		Example: diffExample,
		RunE: func(_ *cobra.Command, args []string) error {
			return needsDirectory("diff", args)
		},
	}
	options.AddPublishArg(cmd, &options.PublishOptions{})
	options.AddSelectorArg(cmd, &options.SelectorOptions{})
	options.AddBuildOptions(cmd, &options.BuildOptions{})
	defaultToBuild(cmd.Flag("push"))
	addLive(cmd)
	f := &diffFlags{}
	cmd.Flags().BoolVar(&f.ForceConflicts, "force-conflicts", false, "Show what 'ko apply --force-conflicts' would change: it takes fields that other managers own")
	cmd.Flags().BoolVar(&f.Replace, "replace", false, "Show what 'ko apply --replace' would change: it deletes objects that cannot be changed as wanted, and makes them anew")
	cmd.Flags().StringVarP(&f.form, "output", "o", "", "\"json\" prints the changes as a JSON list, with the objects that would not change")
	cmd.Flags().BoolVar(&f.Prune, "prune", false, "Show what 'ko apply --prune' would change: it also deletes what a former apply of this kustomization made and this one no longer has")
	f.set = addSetFlag(cmd)
	f.connection = addConnectionFlags(cmd)
	addKustomize(cmd, f.run)
	kustomize := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := kustomize(cmd, args)
		if errors.Is(err, errDiffers) {
			cmd.SilenceErrors = true
			return withCode(err, exitDiffers)
		}
		return withCode(err, exitFailed)
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return withCode(err, exitFailed) })
	root.AddCommand(cmd)
}

func (f *diffFlags) run(cmd *cobra.Command, dir string, args []string) error {
	if f.form != "" && f.form != "json" {
		return fmt.Errorf("--output %q: the only form that there is is json", f.form)
	}
	result, err := f.compare(cmd, dir, args)
	if err != nil {
		return err
	}
	if err := f.print(cmd.OutOrStdout(), result); err != nil {
		return fmt.Errorf("writing the differences: %w", err)
	}
	if result.Differs() {
		return errDiffers
	}
	return nil
}

// compare does what apply does up to where something would be changed.
func (f *diffFlags) compare(cmd *cobra.Command, dir string, args []string) (*diff.Result, error) {
	log := newProgress(cmd)
	defer log.Close()
	if err := onlyBuild(cmd.Flags()); err != nil {
		return nil, err
	}
	var err error
	if f.Set, err = f.set.setToPrune(cmd, dir, f.Prune); err != nil {
		return nil, err
	}
	cluster, err := f.connection.connect(args, log)
	if err != nil {
		return nil, err
	}
	manifests, reasons, err := release(cmd.Context(), cmd, dir, func() (*kube.Cluster, error) { return cluster, nil }, log)
	if err != nil {
		return nil, err
	}
	objects, err := decode(manifests)
	if err != nil {
		return nil, err
	}
	// What Fresh returns would delete what was sent to pods: apply calls it, diff does not.
	if _, err := reload.Fresh(cmd.Context(), cluster, objects); err != nil {
		return nil, err
	}
	f.Set.OnlyHere = isNamespaceGiven(cmd)
	return apply.Diff(cmd.Context(), cluster, objects, f.Options, reasons, log)
}

func (f *diffFlags) print(w io.Writer, result *diff.Result) error {
	if f.form == "json" {
		return result.JSON(w)
	}
	return result.Text(w, colourful(w))
}
