package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// connectionFlags offers kubectl's flags that say which cluster.
func connectionFlags(cmd *cobra.Command) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	all := pflag.NewFlagSet("kubectl", pflag.ContinueOnError)
	flags.AddFlags(all)
	for _, name := range []string{"kubeconfig", "context", "namespace"} {
		cmd.Flags().AddFlag(all.Lookup(name))
	}
	cmd.Flags().Lookup("namespace").Usage = "The namespace of the shop; if the kubeconfig names none, api"
	return flags
}
