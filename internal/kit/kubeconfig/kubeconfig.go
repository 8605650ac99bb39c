// Package kubeconfig reads which cluster, and which namespace of it, a command
// is about.
package kubeconfig

import (
	"fmt"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
)

// Choice is what kubectl would work on with the same flags.
type Choice struct {
	Config    *rest.Config
	Namespace string
}

// Read reads the kubeconfig. It sends nothing to the cluster.
func Read(flags *genericclioptions.ConfigFlags) (Choice, error) {
	config, err := flags.ToRESTConfig()
	if err != nil {
		return Choice{}, fmt.Errorf("reading the kubeconfig: %w; name a cluster with --context, --kubeconfig or KUBECONFIG", err)
	}
	namespace, _, err := flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return Choice{}, fmt.Errorf("reading the namespace from the kubeconfig: %w", err)
	}
	return Choice{Config: config, Namespace: namespace}, nil
}
