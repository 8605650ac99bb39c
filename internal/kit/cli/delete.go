package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/ko/pkg/commands/options"
	"github.com/spf13/cobra"

	"github.com/koshop/koshop/internal/kit/apply"
	"github.com/koshop/koshop/internal/kit/pipeline"
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
	opts := apply.DeleteOptions{}
	cmd.Flags().BoolVar(&opts.IgnoreNotFound, "ignore-not-found", false, "Treat an object that is not there as deleted")
	cmd.Flags().BoolVar(&opts.Wait, "wait", true, "Return only when the objects are gone, and their pods")
	cmd.Flags().DurationVar(&opts.Timeout, "timeout", 0, "How long to wait; 0 is for as long as it takes")
	selecting := &options.SelectorOptions{}
	options.AddSelectorArg(cmd, selecting)
	set := addSetFlag(cmd)
	connection := addConnectionFlags(cmd)
	output := addOutputFlag(cmd)
	addKustomize(cmd, func(cmd *cobra.Command, dir string, args []string) (err error) {
		log := newProgress(cmd)
		defer log.Close()
		report, err := output.report(cmd, log)
		if err != nil {
			return err
		}
		defer func() { output.fails(report, err) }()
		if opts.Timeout < 0 {
			return fmt.Errorf("--timeout %s: it has to be longer than nothing, or 0 for as long as it takes", opts.Timeout)
		}
		if selecting.Selector == "" { // With one, only what it matches is deleted.
			if opts.Set, err = set.set(cmd, dir); err != nil {
				return err
			}
		}
		cluster, err := connection.connect(args, log)
		if err != nil {
			return err
		}
		selector, err := parseSelector(selecting.Selector)
		if err != nil {
			return err
		}
		rendering, err := renderOptions(cmd)
		if err != nil {
			return err
		}
		manifests, err := pipeline.Render(dir, rendering, selector)
		if err != nil {
			return err
		}
		objects, err := decode(manifests)
		if err != nil {
			return err
		}
		return apply.Delete(cmd.Context(), cluster, objects, opts, log, report)
	})
}

func isKustomizeFlag(arg string) bool {
	return strings.HasPrefix(arg, "--kustomize") || strings.HasPrefix(arg, "-k") && !strings.HasPrefix(arg, "--")
}
