package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/koshop/koshop/internal/kube"
)

// connectionNames are kubectl's flags that a command offers before "--" as
// well; all others that choose a cluster or a user stand behind it.
var connectionNames = []string{"kubeconfig", "context", "namespace"}

// connection holds kubectl's flags that say which cluster, and as whom.
type connection struct {
	flags *genericclioptions.ConfigFlags
}

// addConnectionFlags offers the common ones of kubectl's connection flags.
func addConnectionFlags(cmd *cobra.Command) *connection {
	c := &connection{flags: genericclioptions.NewConfigFlags(true)}
	all := c.all()
	for _, name := range connectionNames {
		cmd.Flags().AddFlag(all.Lookup(name))
	}
	return c
}

func (c *connection) all() *pflag.FlagSet {
	set := pflag.NewFlagSet("kubectl", pflag.ContinueOnError)
	set.Usage = func() {}
	c.flags.AddFlags(set)
	return set
}

// connect reads the arguments after "--", which are kubectl's connection flags,
// and prepares the connection. Warnings of the API server go to warnings.
func (c *connection) connect(args []string, warnings io.Writer) (*kube.Cluster, error) {
	set := c.all()
	if err := set.Parse(args); err != nil {
		return nil, fmt.Errorf("after \"--\": %w; with -k ko talks to the cluster itself and takes only kubectl's connection flags there, such as --context", err)
	}
	if set.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q after \"--\"", set.Arg(0))
	}
	if err := checkNamespace(set.Lookup("namespace")); err != nil {
		return nil, err
	}
	return kube.Connect(c.flags, nil, warnings)
}

// passConnection hands the connection flags on to kubectl where upstream runs
// it, so that they mean the same with -f as with -k.
func passConnection(cmd *cobra.Command) {
	upstream := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var passed []string
		for _, name := range connectionNames {
			if flag := cmd.Flags().Lookup(name); flag.Changed {
				passed = append(passed, "--"+name+"="+flag.Value.String())
			}
		}
		return upstream(cmd, append(passed, args...))
	}
}
