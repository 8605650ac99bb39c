package kube

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Choice is what kubectl would work on with the same flags.
type Choice struct {
	Config    *rest.Config
	Namespace string
	// Reason says why it is this namespace, to stand behind its name: "which the
	// context kind-kind names".
	Reason string
}

// Read reads the kubeconfig, or where there is none, what a pod is told of its
// cluster. It sends nothing to the cluster.
func Read(flags *genericclioptions.ConfigFlags) (Choice, error) {
	config, err := read(flags)
	if err != nil {
		return Choice{}, fmt.Errorf("reading the kubeconfig: %w; name a cluster with --context, --kubeconfig or KUBECONFIG", err)
	}
	namespace, _, err := flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return Choice{}, fmt.Errorf("reading the namespace from the kubeconfig: %w", err)
	}
	return Choice{Config: config, Namespace: namespace, Reason: reason(flags)}, nil
}

// reason says why the namespace is the one that it is.
func reason(flags *genericclioptions.ConfigFlags) string {
	if flags.Namespace != nil && *flags.Namespace != "" {
		return "which --namespace names"
	}
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return "because no context names another"
	}
	name := cmp.Or(*flags.Context, raw.CurrentContext)
	context := raw.Contexts[name]
	switch {
	case context != nil && context.Namespace != "":
		return "which the context " + name + " names"
	case context != nil:
		return "because the context " + name + " names no other"
	}
	return "because no context names another"
}

// read refuses what client-go takes for a cluster if nobody names one: whatever
// listens on port 8080, such as `ko up`.
func read(flags *genericclioptions.ConfigFlags) (*rest.Config, error) {
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	if config.Host != clientcmd.ClusterDefaults.Server || *flags.APIServer != "" || os.Getenv("KUBERNETES_MASTER") != "" {
		return config, nil
	}
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, err
	}
	cluster := *flags.ClusterName
	if context := raw.Contexts[cmp.Or(*flags.Context, raw.CurrentContext)]; context != nil {
		cluster = cmp.Or(cluster, context.Cluster)
	}
	if raw.Clusters[cluster] == nil {
		return nil, nothingChosen(flags.ToRawKubeConfigLoader().ConfigAccess().GetLoadingPrecedence())
	}
	return config, nil
}

// nothingChosen says in which files no cluster was found.
func nothingChosen(files []string) error {
	var there []string
	for _, file := range files {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, file)
		}
	}
	if len(there) == 0 {
		return fmt.Errorf("there is no %s", strings.Join(files, ", and no "))
	}
	return fmt.Errorf("%s chooses no cluster", strings.Join(there, ", "))
}
