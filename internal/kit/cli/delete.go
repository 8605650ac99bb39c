package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/pipeline"
	"github.com/koshop/koshop/internal/kube"
)

// extendDelete adds -k to upstream's delete, which hands everything else to
// kubectl, flags that it does not know included. With -k there is no kubectl to
// judge such flags, so they are refused.
func extendDelete(root *cobra.Command, args []string) {
	cmd := command(root, "delete")
	cmd.Use = "delete (-f FILENAME | -k DIRECTORY)"
	cmd.Example = `
  # Delete the objects of a kustomization and wait until they are gone:
  ko delete -k kustomize/overlays/dev

  # The same of what was applied to another namespace:
  ko delete -k kustomize/overlays/dev --namespace team1`
	cmd.FParseErrWhitelist.UnknownFlags = !slices.ContainsFunc(args, isKustomizeFlag)
	cmd.Flags().StringSliceP("filename", "f", nil, "Passed on to kubectl")
	f := addDeleteFlags(cmd)
	addKustomize(cmd, func(cmd *cobra.Command, dir string, args []string) (err error) {
		log := newProgress(cmd)
		defer log.Close()
		report, err := f.output.report(cmd, log)
		if err != nil {
			return err
		}
		defer func() { f.output.fails(report, err) }()
		if f.Timeout < 0 {
			return fmt.Errorf("--timeout %s: it has to be longer than nothing, or 0 for as long as it takes", f.Timeout)
		}
		if f.selecting.Selector == "" { // With one, only what it matches is deleted.
			if f.Set, err = f.set.set(cmd, dir); err != nil {
				return err
			}
		}
		cluster, err := f.connection.connect(args, log)
		if err != nil {
			return err
		}
		objects, err := f.render(cmd, dir)
		if err != nil {
			return err
		}
		f.Set.OnlyHere = isNamespaceGiven(cmd)
		return apply.Delete(cmd.Context(), cluster, objects, f.DeleteOptions, log, report)
	})
}

// deleteFlags say what is deleted, and where.
type deleteFlags struct {
	apply.DeleteOptions
	selecting  *options.SelectorOptions
	set        *setFlag
	connection *connection
	output     *output
}

func addDeleteFlags(cmd *cobra.Command) *deleteFlags {
	f := &deleteFlags{selecting: &options.SelectorOptions{}}
	cmd.Flags().BoolVar(&f.IgnoreNotFound, "ignore-not-found", false, "Treat an object that is not there as deleted")
	cmd.Flags().BoolVar(&f.Wait, "wait", true, "Return only when the objects are gone, and their pods")
	cmd.Flags().DurationVar(&f.Timeout, "timeout", 0, "How long to wait; 0 is for as long as it takes")
	options.AddSelectorArg(cmd, f.selecting)
	f.set = addSetFlag(cmd)
	f.connection = addConnectionFlags(cmd)
	f.output = addOutputFlag(cmd)
	return f
}

// render returns the objects that are to be deleted.
func (f *deleteFlags) render(cmd *cobra.Command, dir string) ([]kube.Object, error) {
	selector, err := parseSelector(f.selecting.Selector)
	if err != nil {
		return nil, err
	}
	rendering, err := renderOptions(cmd)
	if err != nil {
		return nil, err
	}
	manifests, err := pipeline.Render(dir, rendering, selector)
	if err != nil {
		return nil, err
	}
	return decode(manifests)
}

func isKustomizeFlag(arg string) bool {
	return strings.HasPrefix(arg, "--kustomize") || strings.HasPrefix(arg, "-k") && !strings.HasPrefix(arg, "--")
}
