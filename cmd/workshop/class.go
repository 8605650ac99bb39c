package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/koshop/koshop/internal/workshop/class"
)

func classCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "class",
		Short: "Hold a class on one cluster",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := genericclioptions.NewConfigFlags(true)
	cmd.PersistentFlags().StringVar(flags.KubeConfig, "kubeconfig", "", "The leader's kubeconfig")
	cmd.PersistentFlags().StringVar(flags.Context, "context", "", "The context in it")
	name := cmd.PersistentFlags().String("class", "koshop", "The name of the class, for more than one on a cluster")
	dir := cmd.PersistentFlags().String("dir", ".class", "The directory of the attendees' kubeconfigs")
	cmd.PersistentPreRunE = func(*cobra.Command, []string) error { return class.CheckClassName(*name) }
	cmd.AddCommand(classUp(flags, name, dir), classList(flags, name), classDown(flags, name, dir), classSize())
	return cmd
}

func classList(flags *genericclioptions.ConfigFlags, name *string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Say who is there, with which pods, and what their quota has left", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, err := class.Connect(flags)
			if err != nil {
				return err
			}
			places, err := cluster.Places(cmd.Context(), *name)
			if err != nil {
				return err
			}
			if len(places) == 0 {
				return fmt.Errorf("class %s is not there: make it with bin/workshop class up", *name)
			}
			return printPlaces(cmd.OutOrStdout(), places)
		},
	}
}

func printPlaces(out io.Writer, places []class.Place) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "ATTENDEE\tNAMESPACE\tREADY\tPODS\tCPU\tMEMORY\tSTORAGE")
	for _, p := range places {
		fmt.Fprintf(table, "%s\t%s\t%d/%d", p.Attendee, p.Namespace, p.Ready, p.Pods)
		for _, name := range []corev1.ResourceName{corev1.ResourcePods, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceRequestsStorage} {
			used, hard := p.Used[name], p.Hard[name]
			if _, bounded := p.Hard[name]; bounded {
				fmt.Fprintf(table, "\t%s of %s", used.String(), hard.String())
			} else {
				fmt.Fprint(table, "\t-")
			}
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

func readOverlays(dirs []string) ([]class.Overlay, error) {
	overlays := make([]class.Overlay, len(dirs))
	for i, dir := range dirs {
		var err error
		if overlays[i], err = class.ReadOverlay(dir); err != nil {
			return nil, fmt.Errorf("%w; run it in the root of the repository", err)
		}
	}
	return overlays, nil
}
