package cluster

import (
	"bytes"
	"os"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/koshop/koshop/internal/kube"
)

// environmentFile tells a terminal about the cluster, the registry and the
// namespace; see docs/workshop/README.md.
const environmentFile = ".cluster/env"

// CheckEnvironment fails if there is a file that says which cluster this is about,
// and neither a flag nor the terminal does. kubectl's own choice would be another
// cluster than the one that make deploys to.
func CheckEnvironment(flags *genericclioptions.ConfigFlags) error {
	for _, chosen := range []*string{flags.KubeConfig, flags.Context, flags.ClusterName, flags.APIServer} {
		if chosen != nil && *chosen != "" {
			return nil
		}
	}
	if remedy := ReadEnvironment("KUBECONFIG"); remedy != "" {
		return &kube.AccessError{Saw: environmentFile + " says where the cluster is, and this terminal has not read it", Remedy: remedy}
	}
	return nil
}

// ReadEnvironment returns how to set a variable that is not set and that a file
// here has, or "". A file that cannot be read has none.
func ReadEnvironment(variable string) string {
	content, err := os.ReadFile(environmentFile)
	if err != nil || os.Getenv(variable) != "" || !bytes.Contains(content, []byte(variable+"=")) {
		return ""
	}
	return "run `. " + environmentFile + "` in this terminal"
}
