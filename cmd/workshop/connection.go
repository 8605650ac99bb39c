package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// connectionFlags offers kubectl's flags that say which cluster. The namespace
// is the workshop's unless another is named.
func connectionFlags(cmd *cobra.Command) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	*flags.Namespace = "api"
	all := pflag.NewFlagSet("kubectl", pflag.ContinueOnError)
	flags.AddFlags(all)
	for _, name := range []string{"kubeconfig", "context", "namespace"} {
		cmd.Flags().AddFlag(all.Lookup(name))
	}
	return flags
}
