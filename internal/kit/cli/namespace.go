package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"
)

const namespaceUsage = "The namespace; with -k, the whole kustomization moves there"

// addNamespace adds to a command that knows no cluster what the others have
// among their connection flags.
func addNamespace(cmd *cobra.Command) {
	cmd.Flags().StringP("namespace", "n", "", namespaceUsage)
}

// isNamespaceGiven reports whether the user has chosen a namespace with --namespace, before
// "--" or, once [connection.connect] has read what is there, behind it.
func isNamespaceGiven(cmd *cobra.Command) bool { return cmd.Flag("namespace").Value.String() != "" }

// checkNamespace refuses what no namespace can be called, above all nothing: a
// script whose variable is not set must not work on the kustomization's own.
func checkNamespace(flag *pflag.Flag) error {
	name := flag.Value.String()
	if flag.Changed && len(validation.IsDNS1123Label(name)) > 0 {
		return fmt.Errorf("--namespace %q: the name of a namespace is at most 63 of a to z, 0 to 9 and -, and neither begins nor ends with -, as in preview-42", name)
	}
	return nil
}
